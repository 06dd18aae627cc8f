// Upper and lower case as Unicode defines them, independent of any language: "ß" -> "SS".
#pragma once

#include <string>
#include <string_view>

namespace fieldpost {

// Text as in base/text.h.
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);  // a sigma that ends a word becomes "ς"
std::string to_title(std::string_view word);  // the first letter; the rest stays as it is

// What a regular expression of JavaScript compares a unit by when letter case does not count
// (ECMA-262, Canonicalize without the u flag).
char16_t fold_case(char16_t unit);

// What two texts have in common that differ only in letter case or in how their characters are
// composed: full case folding, then NFC (Unicode, chapter 3.13).
std::string caseless(std::string_view text);

}  // namespace fieldpost
