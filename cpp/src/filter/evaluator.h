// Runs a tree over the slots of one event. Allocates nothing once `texts` has grown to what the
// filter needs.
#pragma once

#include "event/selection.h"
#include "filter/ast.h"
#include "filter/datum.h"

namespace fieldpost {

// The value of a path. Slots follow it as Segment's triggers do: a falsy value is kept where the
// path goes further, texts have a length and units. With a parent, only objects and lists have
// something inside.
Value read(const Term& path, const Slots& slots, Texts& texts);

Datum datum_of(const Literal& literal, Numbers numbers);

Datum evaluate(const Term& term, const Slots& slots, Texts& texts);

bool holds(const FilterNode& node, const Slots& slots, Texts& texts);

}  // namespace fieldpost
