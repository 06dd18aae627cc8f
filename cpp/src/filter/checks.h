// Conditions that can be read, but not be meant: they would hold for every event or for none.
#pragma once

#include "filter/ast.h"
#include "filter/parser.h"

namespace fieldpost {

// Both throw DocumentError.
void check(const FilterNode& node, const Grammar& grammar);
void check_arguments(const Term& call, const Grammar& grammar);

}  // namespace fieldpost
