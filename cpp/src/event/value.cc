#include "event/value.h"

#include <charconv>
#include <optional>
#include <utility>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// One past the string whose opening quote is at `at`: behind the next quote that no odd number of
// backslashes precedes.
std::size_t string_end(std::string_view text, std::size_t at) {
  const std::size_t begin = at + 1;
  for (;;) {
    at = text.find('"', at + 1);
    std::size_t plain = at;
    while (plain > begin && text[plain - 1] == '\\') --plain;
    if ((at - plain) % 2 == 0) return at + 1;
  }
}

// One past the value that begins at `at`.
std::size_t value_end(std::string_view text, std::size_t at) {
  if (text[at] == '"') return string_end(text, at);
  if (text[at] != '{' && text[at] != '[') {
    const std::size_t end = text.find_first_of(",]} \t\r\n", at);
    return end == std::string_view::npos ? text.size() : end;
  }
  int depth = 0;
  do {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  } while (depth > 0);
  return at;
}

bool same_key(std::string_view inside_quotes, std::string_view key) {
  if (inside_quotes.find('\\') == std::string_view::npos) return inside_quotes == key;
  std::string plain;
  append_unescaped(inside_quotes, plain);
  return plain == key;
}

// "0", "17": decimal without a leading zero; nothing else indexes an array.
std::optional<std::size_t> array_index(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return {};
  std::size_t index = 0;
  const auto [end, fault] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (fault != std::errc() || end != key.data() + key.size()) return {};
  return index;
}

bool is_structural(char c) {
  return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']';
}

// A comma goes with the member that was left out before it.
void append_structural(char c, std::string& out) {
  const bool nothing_before = !out.empty() && (out.back() == '{' || out.back() == ',');
  if (c == ',' && nothing_before) return;
  if (c == '}' && out.back() == ',') out.pop_back();
  out.push_back(c);
}

std::size_t utf8_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Length in UTF-16 units, as JavaScript counts.
std::size_t utf16_size(std::string_view text) {
  std::size_t units = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    units += utf8_size(text[at]) == 4 ? 2 : 1;
  }
  return units;
}

// The unit at `index` as JSON string; "" (undefined) beyond the end.
std::string unit_at(std::string_view text, std::size_t index) {
  std::size_t unit = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_size(text[at])) {
    const std::size_t size = utf8_size(text[at]);
    const std::size_t units = size == 4 ? 2 : 1;
    if (index < unit + units) {
      std::string json;
      if (units == 1) {
        append_json_string(text.substr(at, size), json);
        return json;
      }
      std::uint32_t point = static_cast<unsigned char>(text[at]) & 7U;
      for (std::size_t i = 1; i < 4; ++i) {
        point = (point << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
      }
      const std::uint32_t half = index == unit ? 0xD7C0 + (point >> 10) : 0xDC00 + (point & 0x3FF);
      char digits[5];
      std::to_chars(digits, digits + 4, half, 16);
      return "\"\\u" + std::string(digits, 4) + "\"";
    }
    unit += units;
  }
  return "";
}

}  // namespace

bool Value::falsy() const {
  switch (kind()) {
    case Kind::undefined:
    case Kind::null:
      return true;
    case Kind::boolean:
      return token_[0] == 'f';
    case Kind::string:
      return token_.size() == 2;
    case Kind::number:
      return parse_number(token_) == 0;
    default:
      return false;
  }
}

std::string Value::string() const {
  std::string text;
  append_unescaped(inside(), text);
  return text;
}

namespace {

// Text of any value; `append_string` says what a string contributes.
template <typename AppendString>
void append_as_text(Value value, std::string& out, Digits digits, AppendString append_string) {
  switch (value.kind()) {
    case Value::Kind::undefined:
    case Value::Kind::null:
      return;
    case Value::Kind::boolean:
      out += value.token();
      return;
    case Value::Kind::string:
      append_string(value.inside(), out);
      return;
    case Value::Kind::number:
      digits == Digits::own ? append_exact_number_text(value.token(), out)
                            : append_number_text(value.token(), out);
      return;
    case Value::Kind::object:
      out += "[object Object]";
      return;
    case Value::Kind::array:
      break;
  }
  bool first = true;
  Value element;
  for (Elements elements(value); elements.next(element);) {
    if (!std::exchange(first, false)) out.push_back(',');
    append_as_text(element, out, digits, append_string);
  }
}

}  // namespace

void Value::append_text(std::string& out, Digits digits) const {
  append_as_text(*this, out, digits, append_unescaped);
}

void Value::append_text_escaped(std::string& out, Digits digits) const {
  append_as_text(*this, out, digits,
                 [](std::string_view inside, std::string& to) { to += inside; });
}

Value Value::step(std::string_view key, std::string& scratch) const {
  if (falsy()) return *this;
  switch (kind()) {
    case Kind::object:
      return member(key);
    case Kind::array:
      return element(key, scratch);
    case Kind::string:
      return unit(key, scratch);
    default:
      return {};
  }
}

Value Value::follow(const Path& path, std::size_t from, std::string& scratch) const {
  Value value = *this;
  for (std::size_t i = from; i < path.size() && !value.is_undefined(); ++i) {
    value = value.step(path[i], scratch);
  }
  return value;
}

// The last member of that name counts, as in JSON.parse.
Value Value::member(std::string_view key) const {
  Value found;
  Value value;
  std::string_view name;
  for (Members members(*this); members.next(name, value);) {
    if (same_key(name, key)) found = value;
  }
  return found;
}

Value Value::element(std::string_view key, std::string& scratch) const {
  std::size_t count = 0;
  Value element;
  Elements elements(*this);
  if (key == "length") {
    while (elements.next(element)) ++count;
    scratch = std::to_string(count);
    return Value(scratch);
  }
  const std::optional<std::size_t> index = array_index(key);
  if (!index) return {};
  while (elements.next(element)) {
    if (count++ == *index) return element;
  }
  return {};
}

Value Value::unit(std::string_view key, std::string& scratch) const {
  const std::string text = string();
  if (key == "length") {
    scratch = std::to_string(utf16_size(text));
  } else if (const std::optional<std::size_t> index = array_index(key)) {
    scratch = unit_at(text, *index);
  } else {
    return {};
  }
  return Value(scratch);
}

void Value::append_container(std::string& out, Gaps gaps) const {
  std::size_t at = 0;
  std::size_t key = 0;  // where in `out` the string before a colon begins
  while (at < token_.size()) {
    const char c = token_[at];
    if (is_blank(c)) {
      ++at;
      continue;
    }
    if (is_structural(c)) {
      append_structural(c, out);
      ++at;
      continue;
    }
    const std::size_t end = value_end(token_, at);
    if (c == 'u') {
      if (out.back() == ':') {
        out.resize(key);
      } else {
        out += gaps == Gaps::kept ? "u" : "null";
      }
    } else {
      if (c == '"') key = out.size();
      out += token_.substr(at, end - at);
    }
    at = end;
  }
}

Elements::Elements(Value array) : text_(array.token()), at_(skip_blanks(text_, 1)) {}

bool Elements::next(Value& element) {
  if (text_[at_] == ']') return false;
  const std::size_t end = value_end(text_, at_);
  element = Value(text_.substr(at_, end - at_));
  at_ = skip_blanks(text_, end);
  if (text_[at_] == ',') at_ = skip_blanks(text_, at_ + 1);
  return true;
}

Members::Members(Value object) : text_(object.token()), at_(skip_blanks(text_, 1)) {}

bool Members::next(std::string_view& key, Value& value) {
  if (text_[at_] == '}') return false;
  const std::size_t end = string_end(text_, at_);
  key = text_.substr(at_ + 1, end - at_ - 2);
  at_ = skip_blanks(text_, skip_blanks(text_, end) + 1);  // over the colon
  const std::size_t after = value_end(text_, at_);
  value = Value(text_.substr(at_, after - at_));
  at_ = skip_blanks(text_, after);
  if (text_[at_] == ',') at_ = skip_blanks(text_, at_ + 1);
  return true;
}

namespace {

// Of two strings or two numbers.
bool same_scalar(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const Value one(left);
  const Value other(right);
  if (one.kind() != other.kind()) return false;
  if (one.is_string()) return one.string() == other.string();
  return one.kind() == Value::Kind::number && compare_numbers(left, right) == 0;
}

}  // namespace

// Side by side, token by token: what is the same has the same tokens in the same order.
bool same_json(Value left, Value right) {
  const std::string_view one = left.token();
  const std::string_view other = right.token();
  if (one == other) return true;
  std::size_t at = 0;
  std::size_t there = 0;
  for (;;) {
    at = skip_blanks(one, at);
    there = skip_blanks(other, there);
    if (at >= one.size() || there >= other.size()) return at >= one.size() && there >= other.size();
    if (is_structural(one[at]) || is_structural(other[there])) {
      if (one[at++] != other[there++]) return false;
      continue;
    }
    const std::size_t end = value_end(one, at);
    const std::size_t stop = value_end(other, there);
    if (!same_scalar(one.substr(at, end - at), other.substr(there, stop - there))) return false;
    at = end;
    there = stop;
  }
}

const char* kind_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::undefined:
      return "undefined";
    case Value::Kind::null:
      return "null";
    case Value::Kind::boolean:
      return "boolean";
    case Value::Kind::number:
      return "number";
    case Value::Kind::string:
      return "string";
    case Value::Kind::array:
      return "array";
    case Value::Kind::object:
      return "object";
  }
  return "";
}

}  // namespace fieldpost
