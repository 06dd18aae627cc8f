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
  // See FilterHelp.
  std::string_view help;
  std::string_view example;
  std::string_view yes;
  std::string_view no;
};

inline constexpr std::array<FunctionRow, 12> kFunctions = {{
    {"contains", Function::contains, 2, Datum::Kind::boolean, true, false,
     R"(`contains(a, b)`: whether the text b is a part of the text a)",
     R"(contains(event, "Order"))", R"({"event":"Order Completed"})", R"({"event":"Signed Up"})"},
    {"match", Function::match, 2, Datum::Kind::boolean, true, false,
     R"(`match(a, pattern)`: whether the pattern takes the whole text: `*` any run, `?` one character, `[a-z]` `[^a-z]` one of a class, `\x` x itself)",
     R"(match(properties.sku, '[A-C]?[^0-9]*'))", R"({"properties":{"sku":"B7-red"}})",
     R"({"properties":{"sku":"D7-red"}})"},
    {"length", Function::length, 1, Datum::Kind::number, true, true,
     R"(UTF-16 units of a text, elements of a list, 0 of `null`)",
     R"(length(properties.tags) >= 2)", R"({"properties":{"tags":["a","b"]}})",
     R"({"properties":{"tags":["a"]}})"},
    {"lowercase", Function::lowercase, 1, Datum::Kind::string, true, true,
     R"(the text in lower case: full Unicode, no language's own rules)",
     R"(contains(lowercase(traits.email), "@example.com"))",
     R"({"traits":{"email":"ADA@EXAMPLE.COM"}})", R"({"traits":{"email":"ada@example.org"}})"},
    {"uppercase", Function::uppercase, 1, Datum::Kind::string, true, true,
     R"(the text in upper case)", R"(uppercase(properties.country) = "DE")",
     R"({"properties":{"country":"de"}})", R"({"properties":{"country":"fr"}})"},
    {"titlecase", Function::titlecase, 1, Datum::Kind::string, true, true,
     R"(the first letter of each word raised, the rest as it is)",
     R"(titlecase(event) = "Order Completed")", R"({"event":"order completed"})",
     R"({"event":"order"})"},
    {"snakecase", Function::snakecase, 1, Datum::Kind::string, true, true,
     R"(blanks replaced by `_`)", R"(snakecase(event) = "Order_Completed")",
     R"({"event":"Order Completed"})", R"({"event":"Order-Completed"})"},
    {"kebabcase", Function::kebabcase, 1, Datum::Kind::string, true, true,
     R"(blanks replaced by `-`)", R"(kebabcase(event) = "Order-Completed")",
     R"({"event":"Order Completed"})", R"({"event":"Order_Completed"})"},
    {"typeof", Function::type_of, 1, Datum::Kind::string, false, false,
     R"(the name of the type: `"string"` `"number"` `"list"` `"bool"` `"null"` `"object"`)",
     R"(typeof(properties.total) = "number")", R"({"properties":{"total":5}})",
     R"({"properties":{"total":"5"}})"},
    {"bool", Function::to_bool, 1, Datum::Kind::boolean, false, true,
     R"(a boolean from texts as `@boolean` reads them (`"true"` `"yes"` `"1"` and their opposites, in any case, blanks around them aside), numbers (0 is false) and booleans)",
     R"(bool(properties.optIn))", R"({"properties":{"optIn":"True"}})",
     R"({"properties":{"optIn":"false"}})"},
    {"string", Function::to_string, 1, Datum::Kind::string, false, true,
     R"(a text from numbers (written as JavaScript does, with their own digits where it would lose some), booleans and texts)",
     R"(string(properties.id) = "7")", R"({"properties":{"id":7}})", R"({"properties":{"id":8}})"},
    {"number", Function::to_number, 1, Datum::Kind::number, false, true,
     R"(a number from texts that are JSON numbers, booleans (1 and 0) and numbers)",
     R"(number(properties.total) >= 1.5e1)", R"({"properties":{"total":"20"}})",
     R"({"properties":{"total":"many"}})"},
}};

// Null where there is none of that name.
const FunctionRow* function_row(std::string_view name);

// What typeof gives.
std::string_view type_name(Datum::Kind kind);

// `second` is used by the functions of two arguments only. With Numbers::digits, fieldpost's own
// reading: texts of numbers keep their digits, truth is what @boolean takes for it.
Datum call(Function function, const Datum& first, const Datum& second, Texts& texts,
           Numbers numbers);

}  // namespace fieldpost
