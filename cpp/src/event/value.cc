#include "event/value.h"

#include <charconv>
#include <optional>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// One past the string whose opening quote is at `at`.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
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

std::string_view inside(std::string_view token) { return token.substr(1, token.size() - 2); }

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

Value::Kind Value::kind() const {
  if (token_.empty()) return Kind::undefined;
  switch (token_[0]) {
    case 'n':
      return Kind::null;
    case 't':
    case 'f':
      return Kind::boolean;
    case '"':
      return Kind::string;
    case '[':
      return Kind::array;
    case '{':
      return Kind::object;
    default:
      return Kind::number;
  }
}

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
  append_unescaped(inside(token_), text);
  return text;
}

void Value::append_text(std::string& out) const {
  switch (kind()) {
    case Kind::undefined:
    case Kind::null:
      return;
    case Kind::boolean:
      out += token_;
      return;
    case Kind::string:
      append_unescaped(inside(token_), out);
      return;
    case Kind::number:
      out += number_text(parse_number(token_));
      return;
    case Kind::object:
      out += "[object Object]";
      return;
    case Kind::array:
      break;
  }
  bool first = true;
  each_element([&](Value element) {
    if (!first) out.push_back(',');
    first = false;
    element.append_text(out);
    return true;
  });
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
  std::size_t at = skip_blanks(token_, 1);
  while (token_[at] == '"') {
    const std::size_t end = string_end(token_, at);
    const bool hit = same_key(token_.substr(at + 1, end - at - 2), key);
    at = skip_blanks(token_, skip_blanks(token_, end) + 1);  // over the colon
    const std::size_t after = value_end(token_, at);
    if (hit) found = Value(token_.substr(at, after - at));
    at = skip_blanks(token_, after);
    if (token_[at] == ',') at = skip_blanks(token_, at + 1);
  }
  return found;
}

Value Value::element(std::string_view key, std::string& scratch) const {
  std::size_t count = 0;
  if (key == "length") {
    each_element([&](Value) { return ++count > 0; });
    scratch = std::to_string(count);
    return Value(scratch);
  }
  const std::optional<std::size_t> index = array_index(key);
  Value found;
  if (!index) return found;
  each_element([&](Value element) {
    if (count++ != *index) return true;
    found = element;
    return false;
  });
  return found;
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

void Value::each_element(const std::function<bool(Value)>& visit) const {
  std::size_t at = skip_blanks(token_, 1);
  while (token_[at] != ']') {
    const std::size_t end = value_end(token_, at);
    if (!visit(Value(token_.substr(at, end - at)))) return;
    at = skip_blanks(token_, end);
    if (token_[at] == ',') at = skip_blanks(token_, at + 1);
  }
}

void Value::append_json(std::string& out) const {
  const Kind what = kind();
  if ((what != Kind::object && what != Kind::array) ||
      token_.find_first_of(" \t\r\n") == std::string_view::npos) {
    out += token_;
    return;
  }
  std::size_t at = 0;
  while (at < token_.size()) {
    if (is_blank(token_[at])) {
      ++at;
    } else if (token_[at] == '"') {
      const std::size_t end = string_end(token_, at);
      out += token_.substr(at, end - at);
      at = end;
    } else {
      out.push_back(token_[at++]);
    }
  }
}

}  // namespace fieldpost
