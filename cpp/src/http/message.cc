#include "fieldpost/message.h"

#include <algorithm>
#include <charconv>

#include "http/date.h"

namespace fieldpost {

namespace {

constexpr const char* kBeforeText = " \t\r\n\xef\xbb\xbf";
constexpr std::size_t kUsualHeaderBytes = 512;  // of an answer

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

const Header* find(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const Header& h) { return same_name(h.name, name); });
  return found == headers.end() ? nullptr : &*found;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Name and value of each, as long as `take` says so.
template <typename Take>
void each_line(std::string_view text, const Take& take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t colon = line.find(':');
    if (!take(trimmed(line.substr(0, colon)), line.substr(colon + 1))) return;
    text.remove_prefix(line.size() + 1);
  }
}

std::optional<double> seconds_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Bytes of the character that begins with `lead`.
std::size_t width(unsigned char lead) {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

HeaderLines::HeaderLines(std::initializer_list<Header> headers) {
  for (const Header& header : headers) add(header.name, header.value);
}

void HeaderLines::add(std::string_view name, std::string_view value) {
  text_.append(name).append(": ").append(value).push_back('\n');
}

void HeaderLines::add_line(std::string_view line) {
  if (line.find(':') == std::string_view::npos) return;
  if (text_.empty()) text_.reserve(kUsualHeaderBytes);
  text_.append(line);
  if (!line.ends_with('\n')) text_.push_back('\n');
}

std::string_view HeaderLines::find(std::string_view name) const {
  std::string_view found;
  each_line(text_, [&](std::string_view its, std::string_view value) {
    if (!same_name(its, name)) return true;
    found = trimmed(value);
    return false;
  });
  return found;
}

std::vector<Header> HeaderLines::all() const {
  std::vector<Header> headers;
  each_line(text_, [&](std::string_view name, std::string_view value) {
    headers.push_back({std::string(name), std::string(trimmed(value))});
    return true;
  });
  return headers;
}

std::string one_line(std::string_view text, std::size_t limit) {
  std::string line;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::string_view character = text.substr(i, width(lead));
    i += character.size();
    const bool blank = lead <= ' ' || lead == 0x7f;
    if (blank && (line.empty() || line.back() == ' ')) continue;
    if (line.size() + character.size() > limit) break;
    line += blank ? std::string_view(" ") : character;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool Request::has_header(std::string_view name) const { return find(headers, name) != nullptr; }

std::string_view Request::host() const {
  std::string_view rest = url;
  const std::size_t scheme = rest.find("://");
  if (scheme == std::string_view::npos) return "";
  rest = rest.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#\\"));
  if (const auto user = rest.rfind('@'); user != std::string_view::npos)
    rest = rest.substr(user + 1);
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

std::optional<double> Response::retry_after_s(double now_unix_s) const {
  const std::string_view value = header("Retry-After");
  if (const auto seconds = seconds_in(value)) {
    return *seconds > 0 ? seconds : std::nullopt;  // not a number compares false as well
  }
  const auto date = http_date(value, now_unix_s);
  if (!date) return std::nullopt;
  // By the clock that it was told by.
  const double wait_s = *date - http_date(header("Date"), now_unix_s).value_or(now_unix_s);
  return wait_s > 0 ? std::optional(wait_s) : std::nullopt;
}

bool Response::is_html() const noexcept {
  const std::size_t begin = body.find_first_not_of(kBeforeText);
  return begin != std::string::npos && body[begin] == '<';
}

std::string Response::excerpt(std::size_t limit) const {
  const std::size_t begin = body.find_first_not_of(kBeforeText);
  if (begin == std::string::npos || is_html()) return "";
  return one_line(std::string_view(body).substr(begin, 4 * limit), limit);
}

}  // namespace fieldpost
