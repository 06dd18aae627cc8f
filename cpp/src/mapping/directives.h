// The list of directives. One file each in directives/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapping/compiler.h"

namespace fieldpost {

struct DirectiveRow {
  std::string_view name;
  NodePtr (*compile)(Compiler& compiler, const Json& argument, const std::string& path);
};

NodePtr compile_path(Compiler& compiler, const Json& argument, const std::string& path);
NodePtr compile_template(Compiler& compiler, const Json& argument, const std::string& path);
NodePtr compile_literal(Compiler& compiler, const Json& argument, const std::string& path);
NodePtr compile_if(Compiler& compiler, const Json& argument, const std::string& path);
NodePtr compile_array_path(Compiler& compiler, const Json& argument, const std::string& path);

const DirectiveRow* find_directive(std::string_view name);  // null: no such directive
std::vector<std::string> directive_names();

}  // namespace fieldpost
