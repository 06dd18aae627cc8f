#include "protocol/dynamics/names.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "protocol/dynamics/members.h"

namespace fieldpost::dynamics {

namespace {

constexpr const char* kNoRow = "(00000000-0000-0000-0000-000000000000)";

struct Names {
  std::set<std::string> columns;
  std::map<std::string, Names> below;  // by navigation property
};

void append_name(std::string_view name, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : name) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    const auto byte = static_cast<unsigned char>(c);
    plain ? out.push_back(c) : void(out.append({'%', kHex[byte >> 4], kHex[byte & 15]}));
  }
}

// Gathers the names of a body and of the rows in it.
class Gatherer {
 public:
  Gatherer(JsonBody& body, const Tables& tables, Unknown unknown)
      : body_(body), tables_(tables), unknown_(unknown) {}

  // `table`: nullptr where it is not known.
  void gather(JsonPart object, const Table* table, Names& names) {
    for (const Member& member : body_.members(object)) {
      const std::size_t at = member.name.find('@');
      if (at != std::string::npos) {
        if (at > 0) names.below[member.name.substr(0, at)];
        continue;
      }
      const Navigation* navigation = table == nullptr ? nullptr : table->find(member.name);
      if (!is_property(member.value, navigation)) {
        names.columns.insert(member.name);
        continue;
      }
      Names& below = names.below[member.name];
      for (const JsonPart row : rows(member.value)) gather(row, behind(navigation), below);
    }
  }

 private:
  std::vector<JsonPart> rows(JsonPart value) {
    return value.kind == JsonKind::list ? body_.elements(value) : std::vector{value};
  }

  bool is_property(JsonPart value, const Navigation* navigation) {
    if (value.kind != JsonKind::object && value.kind != JsonKind::list) return false;
    if (navigation != nullptr) return true;
    const std::vector<JsonPart> parts = rows(value);
    return unknown_ == Unknown::row && !parts.empty() &&
           std::all_of(parts.begin(), parts.end(),
                       [](JsonPart part) { return part.kind == JsonKind::object; });
  }

  const Table* behind(const Navigation* navigation) const {
    if (navigation == nullptr || navigation->tables.size() != 1) return nullptr;
    const auto found = tables_.find(navigation->tables.front());
    return found == tables_.end() ? nullptr : &found->second;
  }

  JsonBody& body_;
  const Tables& tables_;
  Unknown unknown_;
};

const Table* table_of_set(const Tables& tables, std::string_view set) {
  const auto found = std::find_if(tables.begin(), tables.end(),
                                  [&](const auto& one) { return one.second.set == set; });
  return found == tables.end() ? nullptr : &found->second;
}

std::string options_of(const Names& names, const char* separator) {
  std::string options;
  for (const std::string& column : names.columns) {
    options += options.empty() ? "$select=" : ",";
    append_name(column, options);
  }
  std::string below;
  for (const auto& [property, inside] : names.below) {
    below += below.empty() ? "$expand=" : ",";
    append_name(property, below);
    const std::string its = options_of(inside, ";");
    if (!its.empty()) below.append("(").append(its).append(")");
  }
  if (!options.empty() && !below.empty()) options += separator;
  return options + below;
}

}  // namespace

std::string names_question(std::string_view path, std::string_view body, const Tables& tables,
                           Unknown unknown) {
  path = path.substr(0, path.find('?'));
  const std::string_view behind = path.substr(path.find(')') + 1);
  const bool is_row =
      path.find('(') == std::string_view::npos ? path.find('/') == path.npos : behind.empty();
  if (!is_row || body.empty()) return "";
  JsonBody json(body);
  Names names;
  const std::string_view set = path.substr(0, path.find('('));
  Gatherer(json, tables, unknown).gather(json.whole(), table_of_set(tables, set), names);
  const std::string options = options_of(names, "&");
  if (options.empty()) return "";
  return std::string(set) + kNoRow + "?" + options;
}

}  // namespace fieldpost::dynamics
