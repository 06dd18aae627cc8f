// Several calls as one $batch, and its answer as one answer for each.
//
// Every part has a Content-ID of its own, counted over the whole batch. A call that is a $batch
// with one change set already becomes a nested change set. The batch goes on after an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/protocol.h"

namespace fieldpost {

// Whether the call can be a part: one request or one change set, without references ($1).
bool fits_batch(const Call& call);

// What the service counts for it: each part of a change set.
std::uint32_t operations_of(const Call& call);

// The headers that belong to the batch as a whole: only calls that agree in them go together.
std::string shared_headers(const Call& call);

// REQUIRES: fits_batch of each, shared_headers the same. `api` ends with a slash.
Request write_batch(std::string_view api, const std::vector<const Call*>& calls);

// What the call alone would have been answered, for each call; nothing where the answer does not
// tell of it. Told apart by Content-ID where it is there, else by order. `response` is multipart.
std::vector<std::optional<Response>> read_batch(const std::vector<const Call*>& calls,
                                                const Response& response);

}  // namespace fieldpost
