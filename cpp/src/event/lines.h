// The lines of a text that are not blank, each with its position.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "fieldpost/position.h"

namespace fieldpost {

inline bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Asks for the memory that is read next while the line before it is worked on.
inline void fetch_ahead(std::string_view text, std::size_t at) {
  constexpr std::size_t kAhead = 2048;  // bytes: about a line
  constexpr std::size_t kCacheLine = 64;
  const std::size_t end = std::min(text.size(), at + kAhead);
  for (; at < end; at += kCacheLine) __builtin_prefetch(text.data() + at);
}

template <typename Visit>
void each_line(std::string_view text, Position position, Visit visit) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    fetch_ahead(text, end);
    if (!is_blank_line(line)) visit(line, position);
    position.offset += end + 1 - at;
    ++position.line;
    at = end + 1;
  }
}

}  // namespace fieldpost
