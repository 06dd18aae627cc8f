// The transforms of a subscription, for checks of a document; a plan compiles and runs them.
#pragma once

#include <string>

#include "fieldpost/error.h"
#include "fieldpost/json.h"

namespace fieldpost {

// What an author should know of a list that stands at `path` of a larger document: also its
// warnings where it has mistakes.
Findings check_transforms(const Json& list, const std::string& path);

}  // namespace fieldpost
