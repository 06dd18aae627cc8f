#include "dom.h"

#include <algorithm>
#include <charconv>

namespace fieldpost::fuzz {
namespace {

using Element = Dom::Element;
using Type = simdjson::dom::element_type;

constexpr std::size_t kDeepest = 1 << 13;  // more than the fuzzers' inputs are long

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// One past the JSON number at the beginning of `text`; 0 where there is none.
std::size_t number_size(std::string_view text) {
  const std::size_t begin = text.starts_with('-') ? 1 : 0;
  std::size_t at = digits(text, begin);
  if (at == begin || (text[begin] == '0' && at > begin + 1)) return 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits(text, at + 1);
    if (fraction == at + 1) return 0;
    at = fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    std::size_t sign = at + 1;
    if (sign < text.size() && (text[sign] == '+' || text[sign] == '-')) ++sign;
    const std::size_t exponent = digits(text, sign);
    if (exponent == sign) return 0;
    at = exponent;
  }
  return at;
}

// The UTF-16 unit of an escape \uXXXX that begins at `at`, -1 where there is none.
int unit_at(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  const char* end = text.data() + at + 6;
  const auto read = std::from_chars(text.data() + at + 2, end, unit, 16);
  return read.ptr == end && unit >= 0 ? unit : -1;
}

bool is_high(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Copies the escape at `at`, softened, and gives the place after it.
std::size_t soften_escape(std::string_view line, std::size_t at, std::string& out) {
  const int unit = unit_at(line, at);
  std::size_t size = unit < 0 ? 2 : 6;
  if (is_high(unit) && is_low(unit_at(line, at + 6))) {
    size = 12;
  } else if (is_high(unit) || is_low(unit)) {
    out += "\\ufffd";
    return at + 6;
  }
  out += line.substr(at, size);
  return std::min(at + size, line.size());
}

bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' ||
         c == '.';
}

bool falsy(Element value) {
  switch (value.type()) {
    case Type::NULL_VALUE:
      return true;
    case Type::BOOL:
      return !bool(value);
    case Type::STRING:
      return std::string_view(value).empty();
    case Type::INT64:
    case Type::UINT64:
    case Type::DOUBLE:
      return value.get_double().value() == 0;
    default:
      return false;
  }
}

std::optional<std::size_t> index_of(const std::string& key) {
  std::size_t index = 0;
  const char* end = key.data() + key.size();
  const auto read = std::from_chars(key.data(), end, index);
  if (read.ec != std::errc() || read.ptr != end || std::to_string(index) != key) return {};
  return index;
}

std::size_t units(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 || byte >= 0xC0) count += byte >= 0xF0 ? 2 : 1;
  }
  return count;
}

}  // namespace

std::string softened(std::string_view line) {
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (inside && c == '\\') {
      at = soften_escape(line, at, out);
      continue;
    }
    if (c == '"') inside = !inside;
    const bool begins = !inside && (is_digit(c) || c == '-') && (at == 0 || !is_word(line[at - 1]));
    const std::size_t size = begins ? number_size(line.substr(at)) : 0;
    const bool ends = at + size >= line.size() || !is_word(line[at + size]);
    if (size > 0 && ends) {
      out.push_back('0');
      at += size;
      continue;
    }
    out.push_back(c);
    ++at;
  }
  return out;
}

std::size_t nesting(std::string_view line) {
  std::size_t deepest = 0;
  std::size_t depth = 0;
  bool inside = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (inside && c == '\\') ++at;
    if (c == '"') inside = !inside;
    if (inside) continue;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if ((c == '}' || c == ']') && depth > 0) --depth;
  }
  return deepest;
}

std::optional<Element> Dom::parse(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) return {};  // newer versions of simdjson skip it
  held_ = line;
  if (held_.size() > parser_.capacity() || parser_.max_depth() != kDeepest) {
    const std::size_t capacity = std::max<std::size_t>(held_.size(), 8192);
    if (parser_.allocate(capacity, kDeepest) != simdjson::SUCCESS) return {};
  }
  Element root;
  if (parser_.parse(held_).get(root) != simdjson::SUCCESS) return {};
  return root;
}

bool Dom::is_json(std::string_view line) { return parse(softened(line)).has_value(); }

std::optional<std::string> followed(Element from, const std::vector<std::string>& path,
                                    bool& known) {
  Element value = from;
  for (const std::string& key : path) {
    if (falsy(value)) break;
    simdjson::dom::object object;
    simdjson::dom::array array;
    std::string_view text;
    std::optional<Element> next;
    if (value.get(object) == simdjson::SUCCESS) {
      for (const auto field : object) {
        if (field.key == key) next = field.value;  // the last of equal keys counts
      }
    } else if (value.get(array) == simdjson::SUCCESS) {
      if (key == "length") return std::to_string(array.size());
      const auto index = index_of(key);
      Element found;
      if (index && array.at(*index).get(found) == simdjson::SUCCESS) next = found;
    } else if (value.get(text) == simdjson::SUCCESS) {
      if (key == "length" && &key == &path.back()) return std::to_string(units(text));
      if (key == "length" || index_of(key)) known = false;
    }
    if (!next) return {};
    value = *next;
  }
  return simdjson::minify(value);
}

}  // namespace fieldpost::fuzz
