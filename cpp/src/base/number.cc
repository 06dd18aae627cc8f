#include "base/number.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace fieldpost {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* digits(const char* at, const char* end) {
  while (at < end && is_digit(*at)) ++at;
  return at;
}

// `digits` has the decimal point after its first `point` characters (which may be outside it).
std::string lay_out(const std::string& digits, int point) {
  const int count = static_cast<int>(digits.size());
  if (count <= point && point <= 21) return digits + std::string(point - count, '0');
  if (0 < point && point <= 21) return digits.substr(0, point) + "." + digits.substr(point);
  if (-6 < point && point <= 0) return "0." + std::string(-point, '0') + digits;
  const int exponent = point - 1;
  std::string text = digits.substr(0, 1);
  if (count > 1) text += "." + digits.substr(1);
  return text + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
}

}  // namespace

const char* json_number_end(const char* at, const char* end) {
  if (at < end && *at == '-') ++at;
  if (at >= end || !is_digit(*at)) return nullptr;
  at = *at == '0' ? at + 1 : digits(at, end);
  if (at < end && *at == '.') {
    const char* fraction = at + 1;
    at = digits(fraction, end);
    if (at == fraction) return nullptr;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at < end && (*at == '+' || *at == '-')) ++at;
    const char* exponent = at;
    at = digits(exponent, end);
    if (at == exponent) return nullptr;
  }
  return at;
}

double parse_number(std::string_view token) {
  double value = 0;
  const auto [end, fault] = std::from_chars(token.data(), token.data() + token.size(), value);
  (void)end;
  if (fault != std::errc::result_out_of_range) return value;
  // from_chars leaves the value alone out of range: too small is 0, too large infinity.
  const std::size_t e = token.find_first_of("eE");
  const bool tiny = e != std::string_view::npos && e + 1 < token.size() && token[e + 1] == '-';
  const double size = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  return token[0] == '-' ? -size : size;
}

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  if (value == 0) return "0";
  if (value < 0) return "-" + number_text(-value);
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  int exponent = 0;
  const char* first = text.data() + e + 1 + (text[e + 1] == '+' ? 1 : 0);
  std::from_chars(first, text.data() + text.size(), exponent);
  return lay_out(digits, exponent + 1);
}

void append_number_text(std::string_view token, std::string& out) {
  constexpr std::size_t kSurelyExact = 15;  // so many digits stand for one double, and it for them
  const bool negative = token[0] == '-';
  const char* end = token.data() + token.size();
  const bool plain = token.size() <= kSurelyExact && digits(token.data() + negative, end) == end;
  if (plain && token[negative] != '0') {
    out += token;
  } else {
    out += number_text(parse_number(token));
  }
}

}  // namespace fieldpost
