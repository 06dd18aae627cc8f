// Filter text -> tokens with their places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/path.h"

namespace fieldpost {

struct Token {
  enum class Kind : std::uint8_t {
    word,
    path,
    string,
    number,
    op,
    negation,
    open,
    close,
    comma,
    end
  };
  Kind kind = Kind::end;
  std::string text;  // of a word, string (unescaped), number or operator
  Path path;         // of a word or path
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Throws DocumentError.
std::vector<Token> lex(std::string_view text);

}  // namespace fieldpost
