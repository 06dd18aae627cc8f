// Filter text -> tokens with their places. The words of the fieldpost and destination dialects; a
// trigger has words of its own (dialects/trigger_lexer.cc).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "event/path.h"

namespace fieldpost {

struct Token {
  // word: one name, which may be a keyword; path: more than one key, or "$" before it.
  enum class Kind : std::uint8_t {
    word,
    path,
    string,
    number,
    op,
    negation,
    open,
    close,
    list_open,
    list_close,
    comma,
    end
  };
  Kind kind = Kind::end;
  std::string text;        // of a word, string (unescaped), number or operator
  Path path;               // of a word or path
  bool bracketed = false;  // the path has a part in brackets
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Throws DocumentError.
std::vector<Token> lex(std::string_view text);

}  // namespace fieldpost
