#include "protocol/dynamics/batch_codec.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

#include "base/uuid.h"
#include "protocol/dynamics/multipart.h"

namespace fieldpost {

namespace {

constexpr std::string_view kRebuilt = "answers";  // the boundary of an answer put together here

std::string_view header_of(const Request& request, std::string_view name) {
  for (const Header& header : request.headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

bool is_batch(const Call& call) { return call.request.url.ends_with("/$batch"); }

// The parts of the change set that the call is; nothing where it is one request.
std::vector<EnvelopePart> change_set_of(const Call& call) {
  const std::string_view boundary = boundary_of(header_of(call.request, "Content-Type"));
  if (boundary.empty()) return {};
  const std::vector<EnvelopePart> outer = read_parts(call.request.body, boundary);
  if (outer.size() != 1) return {};
  const std::string_view inner = boundary_of(outer.front().header("Content-Type"));
  return inner.empty() ? std::vector<EnvelopePart>() : read_parts(outer.front().content, inner);
}

// "$1" at the beginning of a text, a target or a segment. One in a value does no harm: the call
// goes alone.
bool has_reference(std::string_view content) {
  for (std::size_t at = 0; (at = content.find('$', at)) != std::string_view::npos; ++at) {
    const bool digit = at + 1 < content.size() && content[at + 1] >= '0' && content[at + 1] <= '9';
    const bool begins =
        at > 0 && (content[at - 1] == '"' || content[at - 1] == ' ' || content[at - 1] == '/');
    if (digit && begins) return true;
  }
  return false;
}

// A bind that an event brings may name "$1", which in a batch is the part of another event.
bool may_bind_to_part(std::string_view body) {
  constexpr std::string_view kBind = "@odata.bind\"";
  for (std::size_t at = 0; (at = body.find(kBind, at)) != std::string_view::npos; ++at) {
    const std::size_t begin = body.find_first_of("\"[", at + kBind.size());
    if (begin == std::string_view::npos) return false;
    const std::size_t end = body.find(body[begin] == '[' ? "\"]" : "\"", begin + 1);
    const std::string_view value = body.substr(begin, end - begin);
    const bool refers = value.find('$') != std::string_view::npos ||
                        value.find("\\u0024") != std::string_view::npos;
    if (refers) return true;
  }
  return false;
}

bool is_of_envelope(const Header& header) {
  for (const char* name :
       {"OData-Version", "OData-MaxVersion", "CallerObjectId", "MSCRMCallerID"}) {
    if (same_name(header.name, name)) return true;
  }
  return same_name(header.name, "If-None-Match") && header.value == "null";
}

std::vector<Header> part_headers(const Request& request) {
  std::vector<Header> kept;
  for (const Header& header : request.headers) {
    const bool accepts = same_name(header.name, "Accept") && request.method != "GET";
    if (!is_of_envelope(header) && !accepts) kept.push_back(header);
  }
  return kept;
}

std::string free_boundary(const std::string& root, const std::vector<const Call*>& calls) {
  std::string boundary = "batch_" + uuid5(root, "boundary");
  const auto holds = [&](const Call* call) {
    return call->request.body.find(boundary) != std::string::npos;
  };
  while (std::any_of(calls.begin(), calls.end(), holds)) {
    boundary = "batch_" + uuid5(root, boundary);
  }
  return boundary;
}

class BatchWriter {
 public:
  BatchWriter(std::string boundary, std::size_t bytes) : boundary_(std::move(boundary)) {
    text_.reserve(bytes);
  }

  void add(const Call& call) {
    if (is_batch(call)) {
      add_change_set(change_set_of(call));
    } else {
      const Request& request = call.request;
      write_part(text_, boundary_, http_part(++last_id_),
                 written_request(request, target_of(request.url), part_headers(request)));
    }
  }

  std::string end() {
    write_end(text_, boundary_);
    return std::move(text_);
  }

 private:
  void add_change_set(const std::vector<EnvelopePart>& parts) {
    const std::string inner = "changeset_" + std::to_string(last_id_ + 1) + boundary_.substr(5);
    std::string set;
    for (const EnvelopePart& part : parts) {
      write_part(set, inner, http_part(++last_id_), std::string(part.content) + "\r\n");
    }
    write_end(set, inner);
    write_part(text_, boundary_, {{"Content-Type", "multipart/mixed; boundary=" + inner}}, set);
  }

  std::string boundary_;
  std::string text_;
  std::size_t last_id_ = 0;
};

// Which Content-IDs of a batch belong to a call, and what the call itself calls its parts.
struct Numbers {
  std::size_t first;
  std::vector<std::string> own;  // of a change set
  std::size_t count() const { return std::max<std::size_t>(own.size(), 1); }
};

std::vector<Numbers> numbers_of(const std::vector<const Call*>& calls) {
  std::vector<Numbers> all;
  std::size_t next = 1;
  for (const Call* call : calls) {
    Numbers& numbers = all.emplace_back(Numbers{next, {}});
    if (is_batch(*call)) {
      for (const EnvelopePart& part : change_set_of(*call)) {
        numbers.own.emplace_back(part.header("Content-ID"));
      }
    }
    next += numbers.count();
  }
  return all;
}

std::optional<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

class BatchReader {
 public:
  BatchReader(const std::vector<const Call*>& calls, const Response& response)
      : response_(response), numbers_(numbers_of(calls)), answers_(calls.size()) {}

  std::vector<std::optional<Response>> read() {
    const std::string_view boundary = boundary_of(response_.header("Content-Type"));
    if (boundary.empty()) return std::move(answers_);
    const std::vector<EnvelopePart> parts = read_parts(response_.body, boundary);
    for (std::size_t i = 0; i < parts.size(); ++i) take(parts[i], i, parts.size());
    return std::move(answers_);
  }

 private:
  void take(const EnvelopePart& part, std::size_t place, std::size_t parts) {
    const std::string_view inner = boundary_of(part.header("Content-Type"));
    const std::vector<EnvelopePart> set =
        inner.empty() ? std::vector<EnvelopePart>{} : read_parts(part.content, inner);
    const std::string_view id =
        set.empty() ? part.header("Content-ID") : set.front().header("Content-ID");
    const std::optional<std::size_t> owner = id.empty() ? by_order(place, parts) : by_number(id);
    if (!owner || answers_[*owner]) return;
    if (!numbers_[*owner].own.empty()) {
      answers_[*owner] = change_set_answer(numbers_[*owner], set.empty() ? std::vector{part} : set);
    } else if (inner.empty()) {
      answers_[*owner] = completed(read_answer(part.content));
    }
  }

  std::optional<std::size_t> by_order(std::size_t place, std::size_t parts) const {
    if (parts > numbers_.size()) return std::nullopt;
    return place;
  }

  std::optional<std::size_t> by_number(std::string_view id) const {
    const std::optional<std::size_t> number = number_in(id);
    if (!number) return std::nullopt;
    const auto behind = std::upper_bound(
        numbers_.begin(), numbers_.end(), *number,
        [](std::size_t given, const Numbers& numbers) { return given < numbers.first; });
    if (behind == numbers_.begin()) return std::nullopt;
    const auto owner = std::prev(behind);
    if (*number >= owner->first + owner->count()) return std::nullopt;
    return static_cast<std::size_t>(owner - numbers_.begin());
  }

  // The service tells its version once, for all parts.
  std::optional<Response> completed(std::optional<Response> answer) const {
    if (!answer) return answer;
    const std::string_view version = response_.header("OData-Version");
    if (answer->header("OData-Version").empty() && !version.empty()) {
      answer->headers.add("OData-Version", version);
    }
    const std::string_view token = response_.header("x-ms-session-token");
    if (answer->header("x-ms-session-token").empty() && !token.empty()) {
      answer->headers.add("x-ms-session-token", token);
    }
    answer->elapsed_s = response_.elapsed_s;
    return answer;
  }

  // The answer to the change set as a batch of its own, with the Content-IDs that it gave.
  std::optional<Response> change_set_answer(const Numbers& numbers,
                                            const std::vector<EnvelopePart>& parts) const {
    std::string set;
    const std::string inner(std::string("set_") + std::string(kRebuilt));
    for (const EnvelopePart& part : parts) {
      std::vector<Header> headers;
      for (const Header& header : part.headers.all()) {
        if (!same_name(header.name, "Content-ID")) headers.push_back(header);
      }
      const auto number = number_in(part.header("Content-ID"));
      if (number && *number >= numbers.first && *number - numbers.first < numbers.own.size()) {
        headers.push_back({"Content-ID", numbers.own[*number - numbers.first]});
      }
      write_part(set, inner, headers, std::string(part.content) + "\r\n");
    }
    write_end(set, inner);
    Response answer;
    answer.status = 200;
    answer.headers = {{"Content-Type", "multipart/mixed; boundary=" + std::string(kRebuilt)}};
    write_part(answer.body, kRebuilt, {{"Content-Type", "multipart/mixed; boundary=" + inner}},
               set);
    write_end(answer.body, kRebuilt);
    return completed(std::move(answer));
  }

  const Response& response_;
  std::vector<Numbers> numbers_;
  std::vector<std::optional<Response>> answers_;
};

}  // namespace

bool fits_batch(const Call& call) {
  if (!is_batch(call)) return !may_bind_to_part(call.request.body);
  const std::vector<EnvelopePart> parts = change_set_of(call);
  return !parts.empty() && std::none_of(parts.begin(), parts.end(), [](const EnvelopePart& part) {
    return has_reference(part.content);
  });
}

std::uint32_t operations_of(const Call& call) {
  if (!is_batch(call)) return 1;
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(change_set_of(call).size()));
}

std::string shared_headers(const Call& call) {
  std::string text;
  for (const char* name : {"CallerObjectId", "MSCRMCallerID"}) {
    const std::string_view value = header_of(call.request, name);
    if (!value.empty()) text.append(name).append("=").append(value).append(";");
  }
  return text;
}

Request write_batch(std::string_view api, const std::vector<const Call*>& calls) {
  const std::string root = uuid5(calls.front()->request_id, "batch");
  const std::string boundary = free_boundary(root, calls);
  std::size_t bytes = 256;
  for (const Call* call : calls) bytes += call->request.body.size() + 512;
  BatchWriter writer(boundary, bytes);
  for (const Call* call : calls) writer.add(*call);
  Request request;
  request.method = "POST";
  request.url = std::string(api) + "$batch";
  request.headers = {{"Accept", "application/json"},
                     {"OData-MaxVersion", "4.0"},
                     {"OData-Version", "4.0"},
                     {"If-None-Match", "null"},
                     {"Prefer", "odata.continue-on-error"},
                     {"x-ms-client-request-id", root},
                     {"Content-Type", "multipart/mixed; boundary=" + boundary}};
  for (const char* name : {"CallerObjectId", "MSCRMCallerID"}) {
    const std::string_view value = header_of(calls.front()->request, name);
    if (!value.empty()) request.headers.push_back({name, std::string(value)});
  }
  request.body = writer.end();
  request.has_body = true;
  return request;
}

std::vector<std::optional<Response>> read_batch(const std::vector<const Call*>& calls,
                                                const Response& response) {
  return BatchReader(calls, response).read();
}

}  // namespace fieldpost
