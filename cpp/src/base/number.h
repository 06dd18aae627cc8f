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

// Negative, 0 or positive as the first number of JSON is less than, equal to or greater than the
// second, each taken with all of its digits: 9007199254740993 differs from 9007199254740992, 1.0
// and 1e0 do not.
int compare_numbers(std::string_view left, std::string_view right);

// The one text of a number of JSON however it is written, no digit lost: 1001, 1001.0 and 1.001e3
// are "1001", -0 is "0", 1.50 is "1.5". Whole numbers have no exponent up to 1000 digits.
std::string number_key(std::string_view token);

// Of a number of JSON, however it is written: 7, 7.0, 7e3.
bool is_whole_number(std::string_view token);

// As append_number_text where that text means the same number; else the number's own digits.
void append_exact_number_text(std::string_view token, std::string& out);

}  // namespace fieldpost
