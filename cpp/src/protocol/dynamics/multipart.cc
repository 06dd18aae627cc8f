#include "protocol/dynamics/multipart.h"

#include <algorithm>
#include <charconv>

namespace fieldpost {

namespace {

constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Takes the next line off `rest`, without its end.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Takes headers and the empty line behind them off `rest`.
HeaderLines take_headers(std::string_view& rest) {
  HeaderLines headers;
  while (!rest.empty()) {
    const std::string_view line = next_line(rest);
    if (line.empty()) break;
    headers.add_line(line);
  }
  return headers;
}

bool starts_with_name(std::string_view text, std::string_view name) {
  return text.size() >= name.size() && same_name(text.substr(0, name.size()), name);
}

struct Delimiter {
  std::size_t begin;  // where what stands before it ends
  std::size_t end;    // where what stands behind it begins
  bool last;
};

// The next line "--boundary" or "--boundary--" at or behind `from`.
std::optional<Delimiter> find_delimiter(std::string_view body, std::string_view boundary,
                                        std::size_t from) {
  for (std::size_t at = from; (at = body.find(boundary, at)) != std::string_view::npos; ++at) {
    if (at < 2 || body.substr(at - 2, 2) != "--") continue;
    std::size_t begin = at - 2;
    if (begin < from || (begin > 0 && body[begin - 1] != '\n')) continue;
    std::string_view rest = body.substr(at + boundary.size());
    const bool last = rest.starts_with("--");
    if (last) rest.remove_prefix(2);
    const std::size_t line = std::min(rest.find('\n'), rest.size());
    if (!trimmed(rest.substr(0, line)).empty()) continue;  // a longer word that begins like it
    const std::size_t end = body.size() - rest.size() + std::min(line + 1, rest.size());
    if (begin > from && body[begin - 1] == '\n') --begin;
    if (begin > from && body[begin - 1] == '\r') --begin;
    return Delimiter{begin, end, last};
  }
  return std::nullopt;
}

}  // namespace

std::string_view boundary_of(std::string_view content_type) {
  if (!starts_with_name(trimmed(content_type), "multipart/")) return {};
  std::size_t at = content_type.find(';');
  while (at != std::string_view::npos) {
    std::string_view rest = content_type.substr(at + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(kBlank), rest.size()));
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) return {};
    if (same_name(trimmed(rest.substr(0, equals)), "boundary")) {
      rest = trimmed(rest.substr(equals + 1));
      if (!rest.starts_with('"')) return trimmed(rest.substr(0, rest.find(';')));
      const std::size_t quote = rest.find('"', 1);
      return quote == std::string_view::npos ? std::string_view() : rest.substr(1, quote - 1);
    }
    at = content_type.find(';', at + 1);
  }
  return {};
}

std::vector<EnvelopePart> read_parts(std::string_view body, std::string_view boundary) {
  std::vector<EnvelopePart> parts;
  std::optional<Delimiter> open = find_delimiter(body, boundary, 0);
  while (open && !open->last) {
    const std::optional<Delimiter> close = find_delimiter(body, boundary, open->end);
    if (!close) break;
    std::string_view text = body.substr(open->end, close->begin - open->end);
    EnvelopePart part;
    part.headers = take_headers(text);
    part.content = text;
    parts.push_back(std::move(part));
    open = close;
  }
  return parts;
}

std::optional<Response> read_answer(std::string_view content) {
  while (content.starts_with('\r') || content.starts_with('\n')) content.remove_prefix(1);
  const std::string_view line = next_line(content);
  const std::size_t blank = line.find(' ');
  if (!starts_with_name(line, "HTTP/") || blank == std::string_view::npos) return std::nullopt;
  const std::string_view digits = trimmed(line.substr(blank + 1)).substr(0, 3);
  Response response;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), response.status);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || response.status < 100 || response.status > 599) return std::nullopt;
  response.headers = take_headers(content);
  while (content.ends_with('\n') || content.ends_with('\r')) content.remove_suffix(1);
  response.body = std::string(content);
  return response;
}

std::string_view target_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  const std::size_t slash = url.find('/', scheme + 3);
  return slash == std::string_view::npos ? "/" : url.substr(slash);
}

std::vector<Header> http_part(std::size_t content_id) {
  return {{"Content-Type", "application/http"},
          {"Content-Transfer-Encoding", "binary"},
          {"Content-ID", std::to_string(content_id)}};
}

void write_part(std::string& text, std::string_view boundary, const std::vector<Header>& headers,
                std::string_view content) {
  text.append("--").append(boundary).append("\r\n");
  for (const Header& header : headers) {
    text.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  text.append("\r\n").append(content);
}

void write_end(std::string& text, std::string_view boundary) {
  text.append("--").append(boundary).append("--\r\n");
}

std::string written_request(const Request& request, std::string_view target,
                            const std::vector<Header>& headers) {
  std::string text;
  text.reserve(request.body.size() + target.size() + 256);
  text.append(request.method).append(" ").append(target).append(" HTTP/1.1\r\n");
  for (const Header& header : headers) {
    text.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  return text.append("\r\n").append(request.body).append("\r\n");
}

}  // namespace fieldpost
