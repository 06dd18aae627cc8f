// How long a text may get that a directive makes: neither an event that is repeated into itself nor
// directives within directives shall fill the memory.
#pragma once

#include <algorithm>
#include <cstddef>

#include "fieldpost/mapping.h"

namespace fieldpost {

// Throws EventFault where `made` bytes are too many. What was given may be as long as it likes.
inline void check_growth(std::size_t made, std::size_t given) {
  constexpr std::size_t kMost = std::size_t{32} << 20;  // bytes
  if (made <= std::max(kMost, given)) return;
  throw EventFault{"E407", "a directive makes a text of more than 32 MB of this event"};
}

}  // namespace fieldpost
