// Where the escapes of a JSON text stand: the place of each backslash that begins one.
//
// Keeps its memory from text to text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace fieldpost {

class Escapes {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  // Fewer than 2^32 bytes.
  void find(std::string_view text);

  // In order; after the last one comes kNone.
  const std::uint32_t* places() const { return places_.data(); }
  const std::uint32_t* broken() const { return broken_.data(); }  // those that JSON does not know

 private:
  std::vector<std::uint32_t> places_ = {kNone};
  std::vector<std::uint32_t> broken_ = {kNone};
};

}  // namespace fieldpost
