// The list of actions. One file each in actions/: a record becomes a call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/members.h"
#include "protocol/dynamics/reference.h"
#include "protocol/dynamics/row.h"
#include "protocol/dynamics/subscription.h"
#include "protocol/dynamics/write.h"

namespace fieldpost::dynamics {

// What an event gives beside the body: {"key", "to", "if_match", "impersonate", "on_create",
// "owner", "status", "statecode", "statuscode"}.
class Particulars {
 public:
  explicit Particulars(std::string_view json);
  std::optional<JsonPart> find(std::string_view name) const;  // nothing where absent or null
  JsonBody& body() const { return *body_; }

 private:
  std::unique_ptr<JsonBody> body_;
  std::vector<Member> members_;
};

// A record and all that an action needs to know to make a call of it.
struct Order {
  const std::string& api;  // "https://org.crm.dynamics.com/api/data/v9.2/"
  const Tables& tables;
  const References& references;
  const Subscription& subscription;
  std::string_view body;
  const Particulars& particulars;
  RowReader::IdOf id_of;

  // The row that a key means. Throws CallFault where the event gives none.
  Reference row(const KeyForm& form, std::optional<JsonPart> key) const;
  Row read(const RowRules& rules, const Table& table) const;
  std::vector<Header> condition() const;  // If-Match, where the subscription has one
  std::vector<Header> options() const;    // of every part that writes
  std::optional<Header> person() const;   // who acts
  // The number of a choice of the table, from its label or as it stands; nothing where the event
  // gives none. Throws CallFault.
  std::optional<std::int64_t> choice(const std::string& particular,
                                     const std::string& column) const;

  void note_event(Write& write) const;  // what of it the event decides, and not the file
  Call plain(Part part, Write write) const;
  Call together(std::vector<Part> parts, Write write) const;
};

// The ids to try where the row of a business key is not there.
void note_former(const Reference& reference, std::vector<std::string> others, Write& write);

Call encode_create(const Order& order);
Call encode_upsert(const Order& order);
Call encode_update(const Order& order);
Call encode_remove(const Order& order);
Call encode_associate(const Order& order);
Call encode_disassociate(const Order& order);
Call encode_assign(const Order& order);
Call encode_set_state(const Order& order);
Call encode_win(const Order& order);
Call encode_lose(const Order& order);
Call encode_qualify(const Order& order);

// The row of a reference gets the columns of `row`, if it is there (or still of its version).
Call update_row(const Order& order, const Reference& reference, const Row& row);

}  // namespace fieldpost::dynamics
