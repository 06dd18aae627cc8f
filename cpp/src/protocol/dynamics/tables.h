// What is known of the tables: their sets, keys, navigation properties, and how values of their
// columns are written. Comes with the protocol's document; immutable.
//
// {"account": {"set": "accounts", "key": "accountid",
//    "navigation": {"primarycontactid": {"table": "contact"},
//                   "ownerid": {"tables": ["systemuser", "team"]},
//                   "opportunity_customer_accounts": {"table": "opportunity", "collection": true,
//                                                     "partner": "customerid_account"}},
//    "columns": {"industrycode": {"kind": "choice", "labels": {"Accounting": 1},
//                                 "otherwise": "reject" | "omit" | 7},
//                "interests": {"kind": "choices", "labels": {…}, "otherwise": …},
//                "birthdate": {"kind": "date", "zone": "Europe/Berlin"},
//                "name": {"kind": "text", "max_length": 160, "truncate": true}},
//    "key_columns": {"accountnumber": "text" | "whole" | "number"}, "elastic": true,
//    "others": true}}
//
// Rows of an elastic table lie in partitions, and an upsert without a condition replaces the whole
// row ("Use elastic tables using code").
//
// `key_columns` are those of alternate keys, with the form that their values have in an address.
// `partner` is the property of the other table that leads back, where it is known.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/moment.h"
#include "fieldpost/json.h"

namespace fieldpost {
class Reading;
}

namespace fieldpost::dynamics {

struct Navigation {
  std::vector<std::string> tables;  // logical names of what may stand behind it
  bool collection = false;
  std::string partner;  // "" where it is not known
};

// How a value of the event becomes one that the column takes.
struct Conversion {
  enum class Kind : std::uint8_t { choice, choices, date, text };
  enum class Otherwise : std::uint8_t { reject, omit, number };

  Kind kind = Kind::text;
  std::map<std::string, std::int64_t> labels;  // in lower case
  Otherwise otherwise = Otherwise::reject;
  std::int64_t number = 0;
  std::shared_ptr<const TimeZone> zone;
  std::size_t max_length = 0;  // UTF-16 units; 0: no limit
  bool truncate = false;
};

enum class KeyKind : std::uint8_t { text, whole, number };

struct Table {
  std::string name;     // "account"
  std::string set;      // "accounts"
  std::string key;      // "accountid"
  bool keyed = true;    // its rows get ids of ours
  bool others = false;  // its rows are made by others alone: users, currencies
  bool elastic = false;
  std::map<std::string, Navigation> navigation;
  std::map<std::string, Conversion> columns;
  std::map<std::string, KeyKind> key_columns;

  const Navigation* find(const std::string& property) const {
    const auto found = navigation.find(property);
    return found == navigation.end() ? nullptr : &found->second;
  }
};

// The column that says, with the id, which row of an elastic table is meant.
inline constexpr const char* kPartition = "partitionid";

using Tables = std::map<std::string, Table>;

Tables read_tables(const Json& document, Reading& reading);

// The tables with other conversions: those that a subscription says for itself, as in
// {"account": {"name": {"kind": "text", "max_length": 160, "truncate": true}}}.
Tables with_columns(Tables tables, const Json& columns, const std::string& path, Reading& reading);

}  // namespace fieldpost::dynamics
