// What is to be said of a list of transforms; a plan compiles and runs them.
#pragma once

#include <string>

#include "fieldpost/error.h"
#include "fieldpost/json.h"

namespace fieldpost {

// `path` is where the list stands in a larger document.
Findings check_transforms(const Json& list, const std::string& path);

}  // namespace fieldpost
