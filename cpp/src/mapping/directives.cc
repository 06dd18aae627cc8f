#include "mapping/directives.h"

#include <array>

namespace fieldpost {
namespace {

constexpr std::array<DirectiveRow, 5> kDirectives = {{
    {"@path", compile_path},
    {"@template", compile_template},
    {"@literal", compile_literal},
    {"@if", compile_if},
    {"@arrayPath", compile_array_path},
}};

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
