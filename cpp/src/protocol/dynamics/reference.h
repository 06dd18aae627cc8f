// Which row is meant: the three forms of a key, and what addresses and binds make of them.
//
//   a text, a number, true, false   a business key: the row's id is derived from it (ids.h)
//   {"contactid": "…"}              the id itself: an object of nothing but the primary key
//   {"emailaddress1": "a@b.c"}      an alternate key of the table; a lookup is "_x_value": "<id>"
//   {"new_readingid": "…", "partitionid": "p"}   the row of an elastic table in its partition
//
// A row may have been made under another id: by a release that spelled the environment or the key
// otherwise, or by others, so that the key is its id itself. Those ids are told beside today's.
//
// What comes from an event is written so that it cannot leave its place: texts of alternate keys
// are quoted and percent-encoded, and what would not travel even so is refused.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/dynamics/former_ids.h"
#include "protocol/dynamics/members.h"
#include "protocol/dynamics/tables.h"

namespace fieldpost::dynamics {

// The environment in the spelling that ids are made of ("https://org.crm.dynamics.com"), and in
// those that they were made of before.
struct Environment {
  std::string name;
  std::vector<std::string> former;
};

struct Reference {
  const Table* table = nullptr;
  std::string key;                  // what stands in the brackets, encoded
  std::string id;                   // "" for an alternate key
  std::set<std::string> columns;    // of an alternate key
  std::vector<std::string> former;  // ids under which earlier releases may have made the row
  std::string given;                // the business key itself where it has the form of an id

  // Every other id that a row which is there may have.
  std::vector<std::string> others() const;

  std::string path() const { return table->set + "(" + key + ")"; }  // "contacts(…)"
  // The row of this id in a partition, where none is named yet. Throws CallFault.
  void lie_in(const std::string& partition);
};

class References {
 public:
  // Both must outlive it.
  References(const Tables& tables, const Environment& environment)
      : tables_(tables), environment_(environment) {}

  const Table& table(const std::string& name) const;  // throws CallFault where there is none

  // Nothing where a key is null, "" or has a part that is. Throws CallFault.
  std::optional<Reference> find(const Table& table, JsonBody& body, JsonPart key) const;
  // What {"@bind": {"table", "key"}} means; `bind` is the inner object.
  std::optional<Reference> bound(JsonBody& body, JsonPart bind) const;

 private:
  std::optional<Reference> alternate(const Table& table, JsonBody& body,
                                     const std::vector<Member>& parts) const;
  // `written`: the key as earlier releases took it, which may have made its row.
  Reference hashed(const Table& table, const std::string& key, const std::string& written) const;

  const Tables& tables_;
  const Environment& environment_;
};

// The address of a row as a bind has it, made of what an event brings: throws CallFault where it is
// none, so that the service does not take it for a mistake of every event. "$1" is left alone.
void check_address(std::string_view property, std::string_view address);

// A text as an address has it.
std::string encoded(std::string_view text);

// The inner object where the value is {"@bind": …}.
std::optional<JsonPart> bind_in(JsonBody& body, JsonPart value);

}  // namespace fieldpost::dynamics
