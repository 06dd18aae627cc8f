#include "protocol/dynamics/subscription.h"

#include <iterator>
#include <string_view>

#include "fieldpost/error.h"
#include "protocol/reading.h"

namespace fieldpost::dynamics {

namespace {

struct Named {
  std::string_view name;
  Action action;
};

constexpr Named kActions[] = {
    {"create", Action::create},        {"upsert", Action::upsert},
    {"update", Action::update},        {"delete", Action::remove},
    {"associate", Action::associate},  {"disassociate", Action::disassociate},
    {"assign", Action::assign},        {"set_state", Action::set_state},
    {"win_opportunity", Action::win},  {"lose_opportunity", Action::lose},
    {"qualify_lead", Action::qualify},
};

Action read_action(const Json& given, const std::string& path, Reading& reading) {
  const std::string name = reading.text(given, "action", path);
  std::string known;
  for (const Named& one : kActions) {
    if (one.name == name) return one.action;
    known.append(known.empty() ? "" : ", ").append(one.name);
  }
  reading.mistake("E614", "unknown action \"" + name + "\"; known are " + known, path + ".action");
  return Action::create;
}

const Table* read_table_name(const Json& given, const std::string& path, const Tables& tables,
                             Reading& reading) {
  const std::string name = reading.text(given, "table", path);
  const auto found = tables.find(name);
  if (found != tables.end()) return &found->second;
  reading.mistake("E614", "table \"" + name + "\" is not described", path + ".table");
  return nullptr;
}

bool is_value(const Json& given, const std::string& path, Reading& reading) {
  const std::string form = reading.text(given, "key", path);
  if (form != "value" && form != "columns") {
    reading.mistake("E613", "must be value or columns", path + ".key");
  }
  return form == "value";
}

void read_nulls(const Json& given, const std::string& path, RowRules& rules, Reading& reading) {
  const Json& nulls = reading.object(given, "nulls", path);
  if (!nulls.contains("clear")) return;
  if (nulls.at("clear").is_boolean()) {
    rules.clears_all = reading.flag(nulls, "clear", path + ".nulls");
    return;
  }
  for (const Json& column : reading.list(nulls, "clear", path + ".nulls")) {
    if (column.is_string()) rules.clears.insert(column.get<std::string>());
  }
}

void read_bypass(const Json& given, const std::string& path, std::vector<Header>& options,
                 Reading& reading) {
  std::string logic;
  for (const Json& one : reading.list(given, "bypass", path)) {
    if (one == "sync" || one == "async") {
      logic +=
          (logic.empty() ? "" : ",") + std::string(one == "sync" ? "CustomSync" : "CustomAsync");
    } else if (one == "flows") {
      options.push_back({"MSCRM.SuppressCallbackRegistrationExpanderJob", "true"});
    } else {
      reading.mistake("E613", "must hold sync, async or flows", path + ".bypass");
    }
  }
  if (!logic.empty()) options.push_back({"MSCRM.BypassBusinessLogicExecution", logic});
}

std::string read_impersonated(const Json& given, const std::string& path, Reading& reading) {
  const std::string who = reading.text(given, "impersonate", path, false);
  if (who == "object") return "CallerObjectId";
  if (who == "user") return "MSCRMCallerID";
  if (!who.empty()) reading.mistake("E613", "must be object or user", path + ".impersonate");
  return "";
}

}  // namespace

Subscription read_subscription(const Json& given, const std::string& path, const Tables& tables,
                               Reading& reading) {
  Subscription subscription;
  subscription.id = reading.text(given, "id", path);
  subscription.action = read_action(given, path, reading);
  subscription.key.table = read_table_name(given, path, tables, reading);
  if (subscription.action != Action::create) {
    subscription.key.is_value = is_value(given, path, reading);
  }
  const bool ties =
      subscription.action == Action::associate || subscription.action == Action::disassociate;
  if (ties || subscription.action == Action::assign) {
    const Json& to = reading.object(given, "to", path);
    subscription.to.table = read_table_name(to, path + ".to", tables, reading);
    subscription.to.is_value = is_value(to, path + ".to", reading);
  }
  if (ties) subscription.relationship = reading.text(given, "relationship", path);
  for (const Json& one : reading.list(given, "make", path)) {
    if (one.is_string()) subscription.makes.insert(one.get<std::string>());
  }
  read_nulls(given, path, subscription.rules, reading);
  subscription.has_on_create = reading.flag(given, "on_create", path);
  subscription.has_if_match = reading.flag(given, "if_match", path);
  subscription.impersonates = read_impersonated(given, path, reading);
  for (const Json& one : reading.list(given, "by_event", path)) {
    if (one.is_string()) subscription.by_event.insert(one.get<std::string>());
  }
  read_bypass(given, path, subscription.options, reading);
  if (reading.flag(given, "duplicate_detection", path)) {
    subscription.options.push_back({"MSCRM.SuppressDuplicateDetection", "false"});
  }
  return subscription;
}

}  // namespace fieldpost::dynamics
