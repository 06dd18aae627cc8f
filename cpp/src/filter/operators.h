// The comparison operators: one table of their texts, and what each means.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "filter/datum.h"

namespace fieldpost {

enum class Operator : std::uint8_t {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  // What Segment's triggers mean by "!= 5", "contains" and "match": false, negated or not, for a
  // value of another type.
  other_number,
  has_text,
  lacks_text,
  starts_with,
  starts_not_with,
  ends_with,
  ends_not_with,
};

struct OperatorRow {
  std::string_view text;
  Operator op;
  bool orders;  // compares sizes, so both sides have to be numbers
  // See FilterHelp.
  std::string_view help;
  std::string_view example;
  std::string_view yes;
  std::string_view no;
};

// As they are written; the longer of two that begin alike comes first.
inline constexpr std::array<OperatorRow, 6> kOperators = {{
    {"!=", Operator::not_equal, false,
     R"(differs, in type or value; a missing value equals `null`)", R"(properties.plan != "free")",
     R"({"properties":{"plan":"pro"}})", R"({"properties":{"plan":"free"}})"},
    {"<=", Operator::less_equal, true,
     R"(at most; both sides have to be numbers, anything else is false)",
     R"(properties.total <= 100)", R"({"properties":{"total":100}})",
     R"({"properties":{"total":"7"}})"},
    {">=", Operator::greater_equal, true, R"(at least; numbers only)", R"(properties.total >= 100)",
     R"({"properties":{"total":100}})", R"({"properties":{"total":99}})"},
    {"=", Operator::equal, false,
     R"(same type and same value; a missing value equals `null`; lists and objects are equal where their JSON is; numbers by all of their digits, so `1` equals `1.0` and ids beyond 2^53 stay apart)",
     R"(type = "track")", R"({"type":"track"})", R"({"type":"page"})"},
    {"<", Operator::less, true, R"(less than; numbers only)",
     R"(properties.paid < properties.total)", R"({"properties":{"paid":1,"total":2}})",
     R"({"properties":{"paid":2,"total":2}})"},
    {">", Operator::greater, true, R"(more than; numbers only)", R"(properties.total > 99.5)",
     R"({"properties":{"total":100}})", R"({"properties":{}})"},
}};

// Null where no operator has that text.
const OperatorRow* operator_row(std::string_view text);

// Equality is strict: same type and same value; a missing value equals null; lists and objects are
// equal where their JSON is, blanks aside. Sizes compare numbers only: anything else is false.
// Where both sides have digits, numbers are what their digits say, else what their doubles do.
// REQUIRES: op is not `in`, which the evaluator takes apart.
bool compare(const Datum& left, Operator op, const Datum& right);

}  // namespace fieldpost
