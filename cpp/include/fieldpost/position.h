// Where an event came from, inside one source.
#pragma once

#include <cstdint>
#include <string>

namespace fieldpost {

struct Position {
  std::uint64_t line = 0;    // counted from 1
  std::uint64_t offset = 0;  // bytes from the beginning of the (decompressed) source
};

// What a source has to say about one of its lines.
struct Note {
  std::uint64_t line = 0;
  std::string why;
};

}  // namespace fieldpost
