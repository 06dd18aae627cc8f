// A row and what hangs on it as a change set: for what cannot be one request, because the row is
// updated rather than created, or because it has very many rows below it.
//
// What a row points at comes before it, what points at it comes after. A row that brings its own id
// is written as it is found (created or updated); every other one below the root is created only,
// so that a second sending cannot take effect twice: the service refuses the whole change set.
#pragma once

#include <cstddef>

#include "protocol/dynamics/actions.h"

namespace fieldpost::dynamics {

// More rows than this below a row are not nested into one request (no limit is documented; failures
// above 50 are reported).
inline constexpr std::size_t kMostNested = 50;

// `head` writes the root; its body is the row's columns. Rows are tied by binds, and in the call
// that goes out where the service finds no rows of its own change set, by references.
Call send_tree(const Order& order, const Row& root, Part head, Write write);

}  // namespace fieldpost::dynamics
