// The words of a trigger, cut as Segment's own lexer cuts them.
//
// It cuts unlike any other: a word must be followed by a blank or a bracket, a quote that is not
// begins the next text, there are no escapes in texts. What it cannot cut is a DocumentError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fieldpost {

struct TriggerToken {
  // joiner: "and" or "or"; mark: one of . [ ] ( ) , and the operators, "!" among them.
  enum class Kind : std::uint8_t { name, joiner, null, number, string, op, mark };
  Kind kind = Kind::mark;
  std::string text;  // of a name without its escapes, of a string with its quotes
  // Of a name, for each of its bytes: 'e' where it was escaped, '.' where it joins, else ' '.
  std::string how;
  std::size_t begin = 0;
  std::size_t end = 0;

  bool is(std::string_view wanted) const {
    return text == wanted && kind != Kind::name && kind != Kind::string;
  }
};

// Names joined by dots are one token.
std::vector<TriggerToken> lex_trigger(std::string_view text);

}  // namespace fieldpost
