// Tokens -> tree.
//
//   filter  = chain ;                        chain = unary { "and" unary } | unary { "or" unary } ;
//   unary   = "!" unary | "(" filter ")" | "all" | path operator literal ;
//   literal = string | number | "true" | "false" | "null" ;
//
// "and" and "or" side by side need parentheses: readers disagree on which binds tighter.
#pragma once

#include <memory>
#include <string_view>

#include "event/selection.h"
#include "filter/ast.h"

namespace fieldpost {

// Adds the paths it reads to `selection`. Throws DocumentError.
std::unique_ptr<FilterNode> parse_filter(std::string_view text, Selection& selection);

}  // namespace fieldpost
