// Many rows of one table in one message: CreateMultiple, UpsertMultiple, UpdateMultiple.
//
// One transaction: the first error undoes all, and does not tell which row it was. So no refusal of
// such a message is the last word on a row: smaller ones follow, and the row alone goes as the
// plain request that it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/faults.h"

namespace fieldpost {

struct BulkTable {
  std::string set;   // "accounts"
  std::string name;  // "account"
  std::string key;   // "accountid"
};

enum class BulkMessage : std::uint8_t { none, create, upsert, update };

const char* name_of(BulkMessage message);  // "CreateMultiple"

// The set that the address of a row or of new rows names: "accounts" of <api>accounts(...); ""
// where it goes on behind that.
std::string_view set_of(std::string_view api, std::string_view url);

// Which message can carry the call as one of several; none where only a request of its own can say
// what it says.
BulkMessage bulk_message(const Call& call, const BulkTable& table);

// The headers of the calls that hold for the whole message: only calls that agree go together.
std::string bulk_headers(const Call& call);

// REQUIRES: bulk_message and bulk_headers of all are the same.
Request write_bulk(std::string_view api, BulkMessage message, const BulkTable& table,
                   const std::vector<const Call*>& calls);

// Whether the answer says that the table has no such message.
bool lacks_message(const Response& response, const ServiceError& error);

// One verdict for each call, of which there are several. `protocol` knows what an answer means.
std::vector<Verdict> decode_bulk(const Protocol& protocol, BulkMessage message,
                                 const std::vector<const Call*>& calls, const Response& response,
                                 double now_s);

}  // namespace fieldpost
