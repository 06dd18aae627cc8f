#include "mapping/directives.h"

namespace fieldpost {
namespace {

constexpr DirectiveRow kDirectives[] = {
    // Segment's
    {"@path", compile_path},
    {"@template", compile_template},
    {"@literal", compile_literal},
    {"@if", compile_if},
    {"@case", compile_case},
    {"@replace", compile_replace},
    {"@arrayPath", compile_array_path},
    {"@flatten", compile_flatten},
    {"@json", compile_json},
    {"@merge", compile_merge},
    {"@transform", compile_transform},
    {"@excludeWhenNull", compile_exclude_when_null},
    {"@liquid", compile_liquid},
    // fieldpost's
    {"@root", compile_root},
    {"@default", compile_default},
    {"@number", compile_number},
    {"@string", compile_string},
    {"@boolean", compile_boolean},
    {"@date", compile_date},
    {"@lookup", compile_lookup},
    {"@uuid", compile_uuid},
};

}  // namespace

const DirectiveRow* find_directive(std::string_view name) {
  for (const DirectiveRow& row : kDirectives) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::vector<std::string> directive_names() {
  std::vector<std::string> names;
  for (const DirectiveRow& row : kDirectives) names.emplace_back(row.name);
  return names;
}

}  // namespace fieldpost
