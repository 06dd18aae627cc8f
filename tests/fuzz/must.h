// What a fuzzer holds to: a condition that does not hold is told, and the input is kept.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace fieldpost::fuzz {

inline void must(bool holds, const char* what, std::string_view seen = {},
                 std::string_view expected = {}) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n  seen:     %.*s\n  expected: %.*s\n", what,
               static_cast<int>(seen.size()), seen.data(), static_cast<int>(expected.size()),
               expected.data());
  std::abort();
}

}  // namespace fieldpost::fuzz
