// Values of events as columns take them: choices by label, dates in a zone, texts that fit.
#pragma once

#include <optional>
#include <string>

#include "protocol/dynamics/members.h"
#include "protocol/dynamics/tables.h"

namespace fieldpost::dynamics {

// The JSON to write for a value that is there; nothing where the column is to be left out, and null
// where the value says that there is none (no choice among several, white space alone). What the
// conversion does not speak of (a number for a choice, a number for a text) passes as it stands.
// Throws CallFault, which names the column and not the value.
std::optional<std::string> converted(JsonBody& body, JsonPart value, const Conversion& conversion,
                                     const std::string& column);

}  // namespace fieldpost::dynamics
