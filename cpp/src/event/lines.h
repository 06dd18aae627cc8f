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

template <typename Visit>
void each_line(std::string_view text, Position position, Visit visit) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    if (!is_blank_line(line)) visit(line, position);
    position.offset += end + 1 - at;
    ++position.line;
    at = end + 1;
  }
}

}  // namespace fieldpost
