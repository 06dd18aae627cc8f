// Other ids that a row may have: by today's id, those to try where the row is not there, in order.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/protocol.h"

namespace fieldpost::dynamics {

using FormerIds = std::map<std::string, std::vector<std::string>>;

// The same call with the first other id in place of `id`, in address, body and parts; what is left
// to try stands in its notes. REQUIRES: `id` is one of the notes' former ids.
Call under_other_id(const Call& call, const std::string& id);

// The id that an answer misses, of those that have others: the one that its message names, else the
// only one where it names none at all; "" where it cannot be told.
std::string missed_id(const FormerIds& former, std::string_view message);

}  // namespace fieldpost::dynamics
