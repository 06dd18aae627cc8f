// The functions of filters: one table, and what each gives.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "filter/datum.h"

namespace fieldpost {

enum class Function : std::uint8_t {
  contains,
  match,
  length,
  lowercase,
  uppercase,
  titlecase,
  snakecase,
  kebabcase,
  type_of,
  to_bool,
  to_string,
  to_number,
};

struct FunctionRow {
  std::string_view name;
  Function function;
  std::size_t arguments;
  Datum::Kind result;
  bool takes_texts;  // arguments that are no text (of length: no list) give nothing or false
  bool may_be_null;
};

inline constexpr std::array<FunctionRow, 12> kFunctions = {{
    {"contains", Function::contains, 2, Datum::Kind::boolean, true, false},
    {"match", Function::match, 2, Datum::Kind::boolean, true, false},
    {"length", Function::length, 1, Datum::Kind::number, true, true},
    {"lowercase", Function::lowercase, 1, Datum::Kind::string, true, true},
    {"uppercase", Function::uppercase, 1, Datum::Kind::string, true, true},
    {"titlecase", Function::titlecase, 1, Datum::Kind::string, true, true},
    {"snakecase", Function::snakecase, 1, Datum::Kind::string, true, true},
    {"kebabcase", Function::kebabcase, 1, Datum::Kind::string, true, true},
    {"typeof", Function::type_of, 1, Datum::Kind::string, false, false},
    {"bool", Function::to_bool, 1, Datum::Kind::boolean, false, true},
    {"string", Function::to_string, 1, Datum::Kind::string, false, true},
    {"number", Function::to_number, 1, Datum::Kind::number, false, true},
}};

// Null where there is none of that name.
const FunctionRow* function_row(std::string_view name);

// What typeof gives.
std::string_view type_name(Datum::Kind kind);

// `second` is used by the functions of two arguments only.
Datum call(Function function, const Datum& first, const Datum& second, Texts& texts);

}  // namespace fieldpost
