#include "filter/functions.h"

#include <algorithm>
#include <optional>

#include "base/letter_case.h"
#include "base/number.h"
#include "base/truth.h"
#include "filter/glob.h"

namespace fieldpost {
namespace {

void append_titles(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t\n\r"), text.size());
    out += to_title(text.substr(0, end));
    const std::size_t next = std::min(text.find_first_not_of(" \t\n\r", end), text.size());
    out += text.substr(end, next - end);
    text.remove_prefix(next);
  }
}

Datum in_case(Function function, std::string_view text, Texts& texts) {
  std::string& out = texts.next();
  switch (function) {
    case Function::lowercase:
      out = to_lower(text);
      break;
    case Function::uppercase:
      out = to_upper(text);
      break;
    case Function::titlecase:
      append_titles(text, out);
      break;
    default:
      out = text;
      std::replace(out.begin(), out.end(), ' ', function == Function::snakecase ? '_' : '-');
  }
  return datum(std::string_view(out));
}

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

Datum counted(std::size_t count, Texts& texts, Numbers numbers) {
  const auto number = static_cast<double>(count);
  if (numbers == Numbers::doubles) return datum(number);
  std::string& digits = texts.next();
  digits = std::to_string(count);
  return datum(number, digits);
}

Datum length(const Datum& of, Texts& texts, Numbers numbers) {
  if (of.kind == Datum::Kind::nothing) return counted(0, texts, numbers);
  if (of.kind == Datum::Kind::string) return counted(utf16_units(of.text), texts, numbers);
  if (of.kind != Datum::Kind::list) return {};
  std::size_t count = 0;
  each_element(of.value, [&](Value) { return ++count > 0; });
  return counted(count, texts, numbers);
}

Datum to_bool(const Datum& from, Numbers numbers) {
  switch (from.kind) {
    case Datum::Kind::boolean:
      return from;
    case Datum::Kind::number:
      return datum(from.digits.empty() ? from.number != 0 : compare_numbers(from.digits, "0") != 0);
    case Datum::Kind::string:
      if (numbers == Numbers::digits) {
        const std::optional<bool> truth = truth_of(from.text);
        return truth ? datum(*truth) : Datum();
      }
      return from.text == "true" || from.text == "false" ? datum(from.text == "true") : Datum();
    default:
      return {};
  }
}

Datum to_string(const Datum& from, Texts& texts) {
  switch (from.kind) {
    case Datum::Kind::string:
      return from;
    case Datum::Kind::boolean:
      return datum(std::string_view(from.truth ? "true" : "false"));
    case Datum::Kind::number: {
      std::string& out = texts.next();
      if (from.digits.empty()) {
        out = number_text(from.number);
      } else {
        append_exact_number_text(from.digits, out);
      }
      return datum(std::string_view(out));
    }
    default:
      return {};
  }
}

Datum to_number(const Datum& from, Numbers numbers) {
  const bool by_digits = numbers == Numbers::digits;
  switch (from.kind) {
    case Datum::Kind::number:
      return from;
    case Datum::Kind::boolean:
      return datum(from.truth ? 1.0 : 0.0, by_digits ? (from.truth ? "1" : "0") : "");
    case Datum::Kind::string:
      if (!is_json_number(from.text)) return {};
      return datum(parse_number(from.text), by_digits ? from.text : "");
    default:
      return {};
  }
}

bool are_texts(const Datum& first, const Datum& second) {
  return first.kind == Datum::Kind::string && second.kind == Datum::Kind::string;
}

}  // namespace

const FunctionRow* function_row(std::string_view name) {
  for (const FunctionRow& row : kFunctions) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string_view type_name(Datum::Kind kind) {
  switch (kind) {
    case Datum::Kind::nothing:
      return "null";
    case Datum::Kind::boolean:
      return "bool";
    case Datum::Kind::number:
      return "number";
    case Datum::Kind::string:
      return "string";
    case Datum::Kind::list:
      return "list";
    default:
      return "object";
  }
}

Datum call(Function function, const Datum& first, const Datum& second, Texts& texts,
           Numbers numbers) {
  switch (function) {
    case Function::contains:
      return datum(are_texts(first, second) &&
                   first.text.find(second.text) != std::string_view::npos);
    case Function::match:
      return datum(are_texts(first, second) && glob_matches(first.text, second.text));
    case Function::length:
      return length(first, texts, numbers);
    case Function::type_of:
      return datum(type_name(first.kind));
    case Function::to_bool:
      return to_bool(first, numbers);
    case Function::to_string:
      return to_string(first, texts);
    case Function::to_number:
      return to_number(first, numbers);
    default:
      return first.kind == Datum::Kind::string ? in_case(function, first.text, texts) : Datum();
  }
}

}  // namespace fieldpost
