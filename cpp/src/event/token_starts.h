// Where each token of a JSON text begins: brackets, colons, commas, and the first byte of every
// string, number and word. The text may hold many lines, each a JSON text of its own: a line break
// never stands inside a token.
//
// Found by simdjson's first stage, which checks UTF-8 on the way, and that strings end and hold no
// raw control characters. Nothing else is checked. Keeps its memory from text to text.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace fieldpost {

class TokenStarts {
 public:
  enum class Verdict : std::uint8_t { found, none, not_utf8, broken, too_long };

  TokenStarts();
  ~TokenStarts();

  // Fewer than 2^32 bytes. Only after `found` there are places to read.
  Verdict find(std::string_view text);

  const std::uint32_t* begin() const { return begin_; }
  const std::uint32_t* end() const { return end_; }  // *end() is the text's size

 private:
  bool make_room(std::size_t size);

  struct Stage;
  std::unique_ptr<Stage> stage_;
  const std::uint32_t* begin_ = nullptr;
  const std::uint32_t* end_ = nullptr;
};

}  // namespace fieldpost
