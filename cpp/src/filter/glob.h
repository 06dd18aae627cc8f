// Patterns of match(): the whole text, letter case counts.
//
//   *        any run of characters, also of "/"      ?      one character
//   [a-z_]   one of these       [^a-z]  none of these      \x     x itself, also in brackets
//
// "]" and "-" in brackets need the backslash, as in Go's path.Match, which Segment's is made after.
#pragma once

#include <string_view>

namespace fieldpost {

bool glob_is_well_formed(std::string_view pattern);

// A pattern that is not well formed matches nothing.
bool glob_matches(std::string_view text, std::string_view pattern);

}  // namespace fieldpost
