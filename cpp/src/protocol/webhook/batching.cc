#include "protocol/webhook/batching.h"

#include <simdjson.h>

#include "fieldpost/message.h"
#include "protocol/reading.h"

namespace fieldpost {

namespace {

using simdjson::dom::element;

constexpr std::size_t kMessage = 500;

// "message" or "error" of a record's part, which may be an object with a message of its own.
std::string message_of(element part) {
  for (const char* key : {"message", "error", "detail", "errormessage"}) {
    element found;
    if (part[key].get(found) != simdjson::SUCCESS || found.is_null()) continue;
    std::string_view text;
    if (found.get(text) == simdjson::SUCCESS) return one_line(text, kMessage);
    if (found.is_object()) return message_of(found);
  }
  return "";
}

bool has_refusal(element value) {
  simdjson::dom::array list;
  if (value.get(list) != simdjson::SUCCESS) return false;
  for (const element part : list) {
    std::int64_t status = 0;
    if (part["status"].get(status) == simdjson::SUCCESS && status >= 300) return true;
  }
  return false;
}

std::size_t number(const Json& document, const char* key, const std::string& path,
                   std::size_t otherwise, Reading& reading) {
  if (!document.contains(key)) return otherwise;
  const Json& given = document.at(key);
  if (given.is_number_unsigned() && given.get<std::size_t>() > 0) return given.get<std::size_t>();
  reading.mistake("E613", "must be a whole number above 0", path + "." + key);
  return otherwise;
}

}  // namespace

Batching read_batching(const Json& document, const std::string& path, Reading& reading) {
  Batching batching;
  if (!document.contains("batch")) return batching;
  const std::string at = path + ".batch";
  const Json& given = reading.object(document, "batch", path);
  batching.max_records = number(given, "max_records", at, 100, reading);
  batching.max_bytes = number(given, "max_bytes", at, batching.max_bytes, reading);
  if (given.contains("open")) batching.open = reading.text(given, "open", at);
  if (given.contains("close")) batching.close = reading.text(given, "close", at);
  if (given.contains("status")) batching.status = reading.text(given, "status", at);
  batching.always = reading.flag(given, "always", at);
  for (const Json& key : reading.list(given, "verdicts", at)) {
    if (key.is_string()) {
      batching.verdicts.push_back(key.get<std::string>());
    } else {
      reading.mistake("E613", "must be a list of texts", at + ".verdicts");
    }
  }
  return batching;
}

std::string joined(const Batching& batching, const std::vector<std::string_view>& bodies) {
  std::string text = batching.open;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (i > 0) text.push_back(',');
    text += bodies[i];
  }
  return text + batching.close;
}

std::optional<std::vector<RecordAnswer>> record_answers(const Batching& batching,
                                                        std::string_view body, std::size_t count) {
  simdjson::dom::parser parser;
  element at;
  if (parser.parse(simdjson::padded_string(body)).get(at) != simdjson::SUCCESS) return {};
  for (const std::string& key : batching.verdicts) {
    element inside;
    if (at[key].get(inside) != simdjson::SUCCESS) return {};
    at = inside;
  }
  simdjson::dom::array list;
  if (at.get(list) != simdjson::SUCCESS || list.size() != count) return {};
  std::vector<RecordAnswer> answers;
  for (const element part : list) {
    std::int64_t status = 0;
    if (part[batching.status].get(status) != simdjson::SUCCESS) return {};
    if (status < 100 || status > 599) return {};
    answers.push_back({static_cast<int>(status), message_of(part)});
  }
  return answers;
}

bool tells_of_failure(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(simdjson::padded_string(body)).get(root) != simdjson::SUCCESS) return false;
  simdjson::dom::object members;
  if (root.get(members) != simdjson::SUCCESS) return has_refusal(root);
  for (const auto member : members) {
    if (has_refusal(member.value)) return true;
  }
  return false;
}

}  // namespace fieldpost
