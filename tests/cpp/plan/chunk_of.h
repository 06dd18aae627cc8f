// Lines of events as the chunk that a plan reads.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "fieldpost/chunk.h"

namespace fieldpost {

inline Chunk chunk_of(std::string_view text, bool has_place = true) {
  Chunk chunk("s", has_place);
  while (!text.empty()) {
    const auto room = chunk.spare();
    const std::size_t bytes = std::min(room.size(), text.size());
    std::memcpy(room.data(), text.data(), bytes);
    chunk.filled(bytes);
    text.remove_prefix(bytes);
  }
  chunk.finish();
  return chunk;
}

}  // namespace fieldpost
