#include "protocol/dynamics/tables.h"

#include <utility>

#include "base/letter_case.h"
#include "base/text.h"
#include "protocol/reading.h"

namespace fieldpost::dynamics {

namespace {

// Parties of an activity belong to it and are replaced with it: the service numbers them.
constexpr const char* kParty = "activityparty";

Navigation read_navigation(const Json& given, const std::string& path, Reading& reading) {
  Navigation navigation;
  if (given.is_string()) {
    navigation.tables.push_back(given.get<std::string>());
    return navigation;
  }
  if (given.is_object() && given.contains("tables")) {
    for (const Json& table : reading.list(given, "tables", path)) {
      navigation.tables.push_back(table.is_string() ? table.get<std::string>() : "");
    }
  } else {
    navigation.tables.push_back(reading.text(given, "table", path));
  }
  navigation.collection = reading.flag(given, "collection", path);
  navigation.partner = reading.text(given, "partner", path, false);
  return navigation;
}

void read_labels(const Json& given, const std::string& path, Conversion& conversion,
                 Reading& reading) {
  for (const auto& [label, number] : reading.object(given, "labels", path).items()) {
    if (!number.is_number_integer()) {
      reading.mistake("E613", "must be a whole number", path + ".labels." + label);
      continue;
    }
    conversion.labels[to_lower(trim(label))] = number.get<std::int64_t>();
  }
  if (!given.is_object() || !given.contains("otherwise")) return;
  const Json& otherwise = given.at("otherwise");
  if (otherwise.is_number_integer()) {
    conversion.otherwise = Conversion::Otherwise::number;
    conversion.number = otherwise.get<std::int64_t>();
  } else if (otherwise == "omit") {
    conversion.otherwise = Conversion::Otherwise::omit;
  } else if (otherwise != "reject") {
    reading.mistake("E613", "must be reject, omit or a whole number", path + ".otherwise");
  }
}

void read_zone(const Json& given, const std::string& path, Conversion& conversion,
               Reading& reading) {
  const std::string name = reading.text(given, "zone", path, false);
  std::optional<TimeZone> zone = TimeZone::find(name.empty() ? "UTC" : name);
  if (!zone) {
    reading.mistake("E614", "there is no time zone \"" + name + "\"", path + ".zone");
    return;
  }
  conversion.zone = std::make_shared<const TimeZone>(std::move(*zone));
}

void read_length(const Json& given, const std::string& path, Conversion& conversion,
                 Reading& reading) {
  conversion.truncate = reading.flag(given, "truncate", path);
  if (!given.contains("max_length")) return;
  const Json& length = given.at("max_length");
  if (length.is_number_unsigned()) {
    conversion.max_length = length.get<std::size_t>();
  } else {
    reading.mistake("E613", "must be a whole number", path + ".max_length");
  }
}

Conversion read_conversion(const Json& given, const std::string& path, Reading& reading) {
  Conversion conversion;
  const std::string kind = reading.text(given, "kind", path);
  if (kind == "choice" || kind == "choices") {
    conversion.kind = kind == "choice" ? Conversion::Kind::choice : Conversion::Kind::choices;
    read_labels(given, path, conversion, reading);
  } else if (kind == "date") {
    conversion.kind = Conversion::Kind::date;
    read_zone(given, path, conversion, reading);
  } else if (kind == "text") {
    read_length(given, path, conversion, reading);
  } else if (!kind.empty()) {
    reading.mistake("E614", "must be choice, choices, date or text", path + ".kind");
  }
  return conversion;
}

void read_columns(const Json& columns, const std::string& path, Table& table, Reading& reading) {
  for (const auto& [column, conversion] : columns.items()) {
    const std::string at = path + "." + column;
    table.columns.insert_or_assign(column, read_conversion(conversion, at, reading));
  }
}

void read_key_columns(const Json& given, const std::string& path, Table& table, Reading& reading) {
  const std::map<std::string, KeyKind> kinds = {
      {"text", KeyKind::text}, {"whole", KeyKind::whole}, {"number", KeyKind::number}};
  for (const auto& [column, kind] : given.items()) {
    const auto found = kinds.find(kind.is_string() ? kind.get<std::string>() : "");
    if (found != kinds.end()) {
      table.key_columns.emplace(column, found->second);
    } else {
      reading.mistake("E614", "must be text, whole or number", path + "." + column);
    }
  }
}

Table read_table(const std::string& name, const Json& given, const std::string& path,
                 Reading& reading) {
  Table table;
  table.name = name;
  table.set = reading.text(given, "set", path);
  table.key = reading.text(given, "key", path);
  table.keyed = name != kParty;
  table.elastic = reading.flag(given, "elastic", path);
  table.others = reading.flag(given, "others", path);
  for (const auto& [property, target] : reading.object(given, "navigation", path).items()) {
    const std::string at = path + ".navigation." + property;
    table.navigation.emplace(property, read_navigation(target, at, reading));
  }
  read_columns(reading.object(given, "columns", path), path + ".columns", table, reading);
  read_key_columns(reading.object(given, "key_columns", path), path + ".key_columns", table,
                   reading);
  return table;
}

}  // namespace

Tables read_tables(const Json& document, Reading& reading) {
  const std::string path = "$.protocol.tables.";
  Tables tables;
  for (const auto& [name, given] : reading.object(document, "tables", "$.protocol").items()) {
    tables.emplace(name, read_table(name, given, path + name, reading));
  }
  for (const auto& [name, table] : tables) {
    for (const auto& [property, navigation] : table.navigation) {
      for (const std::string& target : navigation.tables) {
        if (tables.contains(target)) continue;
        reading.mistake("E614", "table \"" + target + "\" is not described",
                        path + name + ".navigation." + property);
      }
    }
  }
  return tables;
}

Tables with_columns(Tables tables, const Json& columns, const std::string& path, Reading& reading) {
  for (const auto& [name, given] : columns.items()) {
    const std::string at = path + "." + name;
    const auto table = tables.find(name);
    if (table == tables.end()) {
      reading.mistake("E614", "table \"" + name + "\" is not described", at);
    } else if (!given.is_object()) {
      reading.mistake("E613", "must be an object", at);
    } else {
      read_columns(given, at, table->second, reading);
    }
  }
  return tables;
}

}  // namespace fieldpost::dynamics
