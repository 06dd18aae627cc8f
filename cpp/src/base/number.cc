#include "base/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fieldpost {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const char* digits(const char* at, const char* end) {
  while (at < end && is_digit(*at)) ++at;
  return at;
}

// So many digits stand for one double, and it for them.
constexpr std::size_t kSurelyExact = 15;

// As text, a whole number of more digits is written with an exponent.
constexpr std::int64_t kMostDigits = 1000;

// The number `digits` × 10^`exponent`; the digits begin and end with none that is 0.
struct Decimal {
  bool negative = false;
  std::string digits;  // "" is 0
  std::int64_t exponent = 0;

  // How many of the digits stand before the decimal point; negative where zeros follow it first.
  std::int64_t point() const { return exponent + static_cast<std::int64_t>(digits.size()); }
};

// Exponents beyond any that a text can spell out count as that.
std::int64_t exponent_of(std::string_view text) {
  constexpr std::int64_t kFar = 1'000'000'000'000;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::int64_t exponent = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  (void)end;
  if (fault == std::errc::result_out_of_range) return text.starts_with('-') ? -kFar : kFar;
  return std::clamp(exponent, -kFar, kFar);
}

Decimal decimal_of(std::string_view token) {
  Decimal decimal;
  decimal.negative = token.starts_with('-');
  if (decimal.negative) token.remove_prefix(1);
  const std::size_t e = token.find_first_of("eE");
  if (e != std::string_view::npos) decimal.exponent = exponent_of(token.substr(e + 1));
  const std::string_view mantissa = token.substr(0, e);
  const std::size_t dot = mantissa.find('.');
  decimal.digits = mantissa.substr(0, dot);
  if (dot != std::string_view::npos) {
    decimal.digits += mantissa.substr(dot + 1);
    decimal.exponent -= static_cast<std::int64_t>(mantissa.size() - dot - 1);
  }
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  if (decimal.digits.empty()) return {};
  const std::size_t zeros = decimal.digits.size() - 1 - decimal.digits.find_last_not_of('0');
  decimal.digits.resize(decimal.digits.size() - zeros);
  decimal.exponent += static_cast<std::int64_t>(zeros);
  return decimal;
}

int compare_decimals(const Decimal& left, const Decimal& right) {
  if (left.negative != right.negative) return left.negative ? -1 : 1;
  const int sign = left.negative ? -1 : 1;
  if (left.digits.empty() || right.digits.empty()) {
    return sign *
           (static_cast<int>(!left.digits.empty()) - static_cast<int>(!right.digits.empty()));
  }
  if (left.point() != right.point()) return left.point() < right.point() ? -sign : sign;
  return sign * left.digits.compare(right.digits);
}

bool is_surely_exact(std::string_view token) {
  return token.size() <= kSurelyExact && token.find_first_of("eE") == std::string_view::npos;
}

// `digits` has the decimal point after its first `point` characters (which may be outside it).
std::string lay_out(const std::string& digits, std::int64_t point) {
  const auto count = static_cast<std::int64_t>(digits.size());
  if (count <= point && point <= 21) return digits + std::string(point - count, '0');
  if (0 < point && point <= 21) return digits.substr(0, point) + "." + digits.substr(point);
  if (-6 < point && point <= 0) return "0." + std::string(-point, '0') + digits;
  const std::int64_t exponent = point - 1;
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
  const Decimal decimal = decimal_of(token);
  const bool is_tiny = decimal.digits.empty() || decimal.point() < 0;
  const double size = is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
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

int compare_numbers(std::string_view left, std::string_view right) {
  if (left == right) return 0;
  // Rounding to a double never swaps two numbers, so doubles that differ decide.
  const double one = parse_number(left);
  const double other = parse_number(right);
  if (one != other) return one < other ? -1 : 1;
  if (is_surely_exact(left) && is_surely_exact(right)) return 0;
  return compare_decimals(decimal_of(left), decimal_of(right));
}

bool is_whole_number(std::string_view token) { return decimal_of(token).exponent >= 0; }

std::string number_key(std::string_view token) {
  const Decimal decimal = decimal_of(token);
  if (decimal.digits.empty()) return "0";
  const std::string sign = decimal.negative ? "-" : "";
  if (decimal.exponent < 0 || decimal.point() > kMostDigits) {
    return sign + lay_out(decimal.digits, decimal.point());
  }
  return sign + decimal.digits + std::string(static_cast<std::size_t>(decimal.exponent), '0');
}

void append_exact_number_text(std::string_view token, std::string& out) {
  const std::size_t before = out.size();
  append_number_text(token, out);
  if (is_surely_exact(token)) return;
  const std::string_view text = std::string_view(out).substr(before);
  if (is_json_number(text) && compare_numbers(text, token) == 0) return;
  out.resize(before);
  out += number_key(token);
}

void append_number_text(std::string_view token, std::string& out) {
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
