// What the document says of one subscription to Dynamics 365.
//
// {"id", "action": "create" | "upsert" | "update" | "delete" | "associate" | "disassociate" |
//    "assign" | "set_state" | "win_opportunity" | "lose_opportunity" | "qualify_lead",
//  "table": "account", "key": "value" | "columns", "to": {"table", "key"}, "relationship",
//  "make": ["account", "contact", "opportunity"]: what a lead becomes,
//  "nulls": {"clear": true | ["telephone1"]}, "on_create": true, "if_match": true,
//  "impersonate": "object" | "user", "by_event": ["impersonate", "owner", "currency"], "bypass":
//  ["sync", "async", "flows"], "duplicate_detection": true, "columns": {"account": {"name": a
//  conversion, see tables.h}}}
//
// The "columns" count instead of those of the tables, for this subscription alone. As "key",
// "value" and "columns" say which form of a key the author wrote, so that no event can choose it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "fieldpost/json.h"
#include "fieldpost/message.h"
#include "protocol/dynamics/row.h"
#include "protocol/dynamics/tables.h"

namespace fieldpost {
class Reading;
}

namespace fieldpost::dynamics {

enum class Action : std::uint8_t {
  create,
  upsert,
  update,
  remove,
  associate,
  disassociate,
  assign,
  set_state,
  win,
  lose,
  qualify
};

struct KeyForm {
  const Table* table = nullptr;
  bool is_value = false;  // a business key, else an object of columns
};

struct Subscription {
  std::string id;
  Action action = Action::create;
  KeyForm key;  // of the row that is written
  KeyForm to;   // of the row that it is tied to, or no longer; of the owner that it gets
  std::string relationship;
  std::set<std::string> makes;  // tables, of which a lead becomes a row each
  RowRules rules;
  bool has_on_create = false;
  bool has_if_match = false;
  std::string impersonates;  // the header's name; "" for nobody
  // What each event may give another value: impersonate, the owner, the currency.
  std::set<std::string> by_event;
  std::vector<Header> options;  // headers of every write
};

Subscription read_subscription(const Json& given, const std::string& path, const Tables& tables,
                               Reading& reading);

}  // namespace fieldpost::dynamics
