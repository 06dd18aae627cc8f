#include "protocol/dynamics/change_set.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace fieldpost::dynamics {

namespace {

constexpr std::string_view kEnd = "\r\n";
constexpr std::string_view kSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

// "/api/data/v9.2/" of "https://host/api/data/v9.2/".
std::string_view path_of(std::string_view address) {
  const std::size_t host = address.find("://");
  const std::size_t slash = address.find('/', host == std::string_view::npos ? 0 : host + 3);
  return slash == std::string_view::npos ? "/" : address.substr(slash);
}

void append_part(const Part& part, std::size_t number, std::string_view root, std::string& out) {
  out.append("Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: ");
  out.append(std::to_string(number)).append("\r\n\r\n");
  out.append(part.method).append(" ").append(root).append(part.path).append(" HTTP/1.1\r\n");
  for (const Header& header : part.headers) {
    out.append(header.name).append(": ").append(header.value).append(kEnd);
  }
  if (!part.body.empty()) out.append("Content-Type: application/json\r\n");
  out.append(kEnd).append(part.body).append(kEnd);
}

// The boundary that a Content-Type names, quoted or not.
std::string boundary_of(std::string_view content_type) {
  const std::size_t at = content_type.find("boundary=");
  if (!content_type.starts_with("multipart/") || at == std::string_view::npos) return "";
  std::string_view value = content_type.substr(at + 9);
  value = trimmed(value.substr(0, value.find(';')));
  if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
  return std::string(value);
}

std::vector<std::string_view> split(std::string_view text, const std::string& boundary) {
  const std::string mark = "--" + boundary;
  std::vector<std::string_view> parts;
  std::size_t begin = text.find(mark);
  while (begin != std::string_view::npos) {
    begin += mark.size();
    if (text.substr(begin).starts_with("--")) break;
    const std::size_t end = text.find(mark, begin);
    parts.push_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    begin = end;
  }
  return parts;
}

// Takes the next line, without its end.
std::string_view line_of(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Takes the headers and the empty line behind them.
std::vector<Header> headers_of(std::string_view& text) {
  std::vector<Header> headers;
  while (!text.empty()) {
    const std::string_view line = line_of(text);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    headers.push_back({std::string(trimmed(line.substr(0, colon))),
                       std::string(trimmed(line.substr(colon + 1)))});
  }
  return headers;
}

std::string_view value_of(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return "";
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void read_parts(std::string_view body, const std::string& boundary, const Response& outer,
                std::vector<PartAnswer>& answers) {
  for (std::string_view part : split(body, boundary)) {
    line_of(part);  // what is left of the boundary's
    const std::vector<Header> head = headers_of(part);
    const std::string inner = boundary_of(value_of(head, "Content-Type"));
    if (!inner.empty()) {
      read_parts(part, inner, outer, answers);
      continue;
    }
    std::string_view status_line = line_of(part);  // "HTTP/1.1 204 No Content"
    PartAnswer& answer = answers.emplace_back();
    answer.part = number_in(value_of(head, "Content-ID"));
    status_line.remove_prefix(std::min(status_line.size(), status_line.find(' ') + 1));
    answer.response.status = static_cast<int>(number_in(status_line));
    answer.response.headers = headers_of(part);
    answer.response.body = std::string(trimmed(part));
    answer.response.elapsed_s = outer.elapsed_s;
    for (const char* name : {"x-ms-service-request-id", "REQ_ID", "Retry-After"}) {
      const std::string_view value = outer.header(name);
      if (!value.empty() && answer.response.header(name).empty()) {
        answer.response.headers.push_back({name, std::string(value)});
      }
    }
  }
}

}  // namespace

Request change_set(const std::vector<Part>& parts, const std::string& api, const std::string& id) {
  const std::string batch = "batch_" + id;
  const std::string set = "changeset_" + id;
  std::string body =
      "--" + batch + "\r\nContent-Type: multipart/mixed; boundary=\"" + set + "\"\r\n";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    body.append("\r\n--").append(set).append(kEnd);
    append_part(parts[i], i + 1, path_of(api), body);
  }
  body.append("--").append(set).append("--\r\n\r\n--").append(batch).append("--\r\n");
  Request request;
  request.method = "POST";
  request.url = api + "$batch";
  request.headers.push_back({"Content-Type", "multipart/mixed; boundary=\"" + batch + "\""});
  request.body = std::move(body);
  request.has_body = true;
  return request;
}

std::vector<PartAnswer> change_set_answers(const Response& response) {
  std::vector<PartAnswer> answers;
  const std::string boundary = boundary_of(response.header("Content-Type"));
  if (!boundary.empty()) read_parts(response.body, boundary, response, answers);
  if (answers.empty()) answers.push_back({0, response});
  return answers;
}

}  // namespace fieldpost::dynamics
