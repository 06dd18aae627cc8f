#include "protocol/dynamics/names.h"

#include <map>
#include <set>

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

void gather(JsonBody& body, JsonPart object, Names& names) {
  for (const Member& member : body.members(object)) {
    const std::size_t at = member.name.find('@');
    if (at != std::string::npos) {
      if (at > 0) names.below[member.name.substr(0, at)];
    } else if (member.value.kind == JsonKind::object) {
      gather(body, member.value, names.below[member.name]);
    } else if (member.value.kind == JsonKind::list) {
      Names& below = names.below[member.name];
      for (const JsonPart element : body.elements(member.value)) gather(body, element, below);
    } else {
      names.columns.insert(member.name);
    }
  }
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

std::string names_question(std::string_view path, std::string_view body) {
  path = path.substr(0, path.find('?'));
  const std::string_view behind = path.substr(path.find(')') + 1);
  const bool is_row =
      path.find('(') == std::string_view::npos ? path.find('/') == path.npos : behind.empty();
  if (!is_row || body.empty()) return "";
  JsonBody json(body);
  Names names;
  gather(json, json.whole(), names);
  const std::string options = options_of(names, "&");
  if (options.empty()) return "";
  return std::string(path.substr(0, path.find('('))) + kNoRow + "?" + options;
}

}  // namespace fieldpost::dynamics
