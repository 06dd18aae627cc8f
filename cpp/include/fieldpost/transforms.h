// What an author should know of a subscription's transforms beside their mistakes.
#pragma once

#include <string>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"

namespace fieldpost {

// What works as in Segment's evaluator but surprises, each with the clean way to write it. `path`
// is where the list stands in a larger document. Nothing where the list has mistakes: a plan tells
// them.
std::vector<Mistake> transform_warnings(const Json& list, const std::string& path);

}  // namespace fieldpost
