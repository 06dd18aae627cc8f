#include "base/random.h"

#include <array>

namespace fieldpost {

std::string Random::uuid4() {
  constexpr char kHex[] = "0123456789abcdef";
  std::array<std::uint64_t, 2> words = {engine_(), engine_()};
  words[0] = (words[0] & ~0xf000ULL) | 0x4000ULL;                    // version 4
  words[1] = (words[1] & ~(3ULL << 62)) | (std::uint64_t{2} << 62);  // variant of RFC 9562
  std::string text;
  text.reserve(36);
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text += '-';
    text += kHex[(words[digit / 16] >> (60 - 4 * (digit % 16))) & 15];
  }
  return text;
}

}  // namespace fieldpost
