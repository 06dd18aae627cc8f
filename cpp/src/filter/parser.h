// Text -> tree, for the dialects that share one grammar.
//
//   filter    = chain ;
//   chain     = unary { "and" unary } | unary { "or" unary } ;
//   unary     = "!" unary | "(" filter ")" | "all" | condition ;
//   condition = value | value operator value | value "in" ( list | path ) ;
//   value     = path | string | number | "true" | "false" | "null" | name "(" value { "," value }
//   ")" ; list      = "[" [ value { "," value } ] "]" ;
//
// "and" and "or" side by side need parentheses: readers disagree on which binds tighter. A value
// alone is true where it is exactly true.
#pragma once

#include <string_view>

#include "event/selection.h"
#include "filter/ast.h"

namespace fieldpost {

// What a dialect does not take, or takes although it is pointless.
struct Grammar {
  bool constants = false;       // conditions that are the same for every event
  bool brackets = true;         // paths with parts in brackets
  bool lists_of_events = true;  // a path behind "in"
  bool all_type_names = true;   // typeof compared with any of its names
  Numbers numbers = Numbers::digits;
};

// Adds the paths it reads to `selection`. Throws DocumentError.
FilterNodePtr parse_filter(std::string_view text, const Grammar& grammar, Selection& selection);

}  // namespace fieldpost
