// Numbers as JSON and JavaScript write them.
#pragma once

#include <string>
#include <string_view>

namespace fieldpost {

// REQUIRES: `token` follows JSON's grammar for numbers. Beyond the range of a double: +-infinity.
double parse_number(std::string_view token);

// One past the JSON number at `at`, null where there is none. Reads nothing from `end` on.
const char* json_number_end(const char* at, const char* end);

inline bool is_json_number(std::string_view token) {
  const char* end = token.data() + token.size();
  return json_number_end(token.data(), end) == end && !token.empty();
}

// Shortest digits that give the same double back, laid out as ECMAScript's Number::toString does
// (ECMA-262, 6.1.6.1.20): 1e21 becomes "1e+21", -0 becomes "0".
std::string number_text(double value);

// The same for a number of JSON as it stands.
void append_number_text(std::string_view token, std::string& out);

}  // namespace fieldpost
