#include "protocol/dynamics/change_set.h"

#include <charconv>
#include <string_view>

#include "protocol/dynamics/multipart.h"

namespace fieldpost::dynamics {

namespace {

std::string written(const Part& part, std::string_view root) {
  Request request;
  request.method = part.method;
  request.body = part.body;
  std::vector<Header> headers = part.headers;
  if (!part.body.empty()) headers.push_back({"Content-Type", "application/json"});
  return written_request(request, std::string(root).append(part.path), headers);
}

std::string kind_of(const std::string& boundary) {
  return "multipart/mixed; boundary=\"" + boundary + "\"";
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What the service tells of the request as a whole holds for a part that does not say otherwise.
void take_over(const Response& whole, Response& part) {
  part.elapsed_s = whole.elapsed_s;
  for (const char* name : {"x-ms-service-request-id", "REQ_ID", "Retry-After"}) {
    const std::string_view value = whole.header(name);
    if (!value.empty() && part.header(name).empty()) part.headers.add(name, value);
  }
}

void read_answers(std::string_view body, std::string_view boundary, const Response& whole,
                  std::vector<PartAnswer>& answers) {
  for (const EnvelopePart& part : read_parts(body, boundary)) {
    const std::string_view inner = boundary_of(part.header("Content-Type"));
    if (!inner.empty()) {
      read_answers(part.content, inner, whole, answers);
    } else if (auto answer = read_answer(part.content)) {
      take_over(whole, *answer);
      answers.push_back({number_in(part.header("Content-ID")), *std::move(answer)});
    }
  }
}

}  // namespace

Request change_set(const std::vector<Part>& parts, const std::string& api, const std::string& id) {
  const std::string batch = "batch_" + id;
  const std::string inner = "changeset_" + id;
  std::string set;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    write_part(set, inner, http_part(i + 1), written(parts[i], target_of(api)));
  }
  write_end(set, inner);
  Request request;
  write_part(request.body, batch, {{"Content-Type", kind_of(inner)}}, set);
  write_end(request.body, batch);
  request.method = "POST";
  request.url = api + "$batch";
  request.headers.push_back({"Content-Type", kind_of(batch)});
  request.has_body = true;
  return request;
}

std::vector<PartAnswer> change_set_answers(const Response& response) {
  std::vector<PartAnswer> answers;
  const std::string_view boundary = boundary_of(response.header("Content-Type"));
  if (!boundary.empty()) read_answers(response.body, boundary, response, answers);
  if (answers.empty()) answers.push_back({0, response});
  return answers;
}

}  // namespace fieldpost::dynamics
