// The list of directives. One file each in directives/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mapping/compiler.h"

namespace fieldpost {

using CompileDirective = NodePtr(Compiler& compiler, const Json& argument, const std::string& path);

struct DirectiveRow {
  std::string_view name;
  CompileDirective* compile;
  bool is_segments;
  // See DirectiveHelp.
  std::string_view help;
  std::string_view example;
  std::string_view event;
  std::string_view body;
};

CompileDirective compile_array_path;
CompileDirective compile_bind;
CompileDirective compile_boolean;
CompileDirective compile_case;
CompileDirective compile_date;
CompileDirective compile_default;
CompileDirective compile_exclude_when_null;
CompileDirective compile_flatten;
CompileDirective compile_if;
CompileDirective compile_json;
CompileDirective compile_liquid;
CompileDirective compile_literal;
CompileDirective compile_lookup;
CompileDirective compile_merge;
CompileDirective compile_number;
CompileDirective compile_path;
CompileDirective compile_replace;
CompileDirective compile_root;
CompileDirective compile_string;
CompileDirective compile_template;
CompileDirective compile_transform;
CompileDirective compile_url_template;  // @template in a url
CompileDirective compile_uuid;

const DirectiveRow* find_directive(std::string_view name);  // null: no such directive
std::vector<std::string> directive_names();

}  // namespace fieldpost
