// The comparison operators: one table of their texts, and what each means.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "event/value.h"

namespace fieldpost {

struct Literal;

enum class Operator : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

struct OperatorRow {
  std::string_view text;
  Operator op;
  bool orders;  // compares sizes, so it needs a number on the right
};

inline constexpr std::array<OperatorRow, 6> kOperators = {{
    {"=", Operator::equal, false},
    {"!=", Operator::not_equal, false},
    {"<=", Operator::less_equal, true},
    {">=", Operator::greater_equal, true},
    {"<", Operator::less, true},
    {">", Operator::greater, true},
}};

// Equality is strict: same type and same value; a missing value equals null. Sizes compare numbers
// only: anything else is false.
bool compare(Value actual, Operator op, const Literal& expected);

}  // namespace fieldpost
