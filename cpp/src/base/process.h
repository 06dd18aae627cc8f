// Which process this is, told without asking the kernel: what a forked child must not use can be
// checked at every call.
#pragma once

#include <cstdint>

namespace fieldpost {

// Another number in a child of fork() than in its parent. Calls may overlap.
std::uint64_t process_mark() noexcept;

}  // namespace fieldpost
