#include "protocol/webhook/answer.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "fieldpost/error.h"
#include "protocol/reading.h"

namespace fieldpost {

namespace {

constexpr std::size_t kMessage = 500;  // bytes

void append_member(std::string& out, std::string_view name) {
  append_json_string(name, out);
  out.push_back(':');
}

// One line of it, which an event has to be.
void append_body(std::string& out, std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    out.append("null");
    return;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (parser.parse(simdjson::padded_string(body)).get(value) == simdjson::SUCCESS) {
    for (const char c : body) out.push_back(c == '\n' || c == '\r' ? ' ' : c);  // between tokens
  } else {
    append_json_string(simdjson::validate_utf8(body) ? body : std::string_view(), out);
  }
}

std::string object_of(const Response& response) {
  std::string out = "{\"status\":" + std::to_string(response.status) + ",\"headers\":{";
  std::vector<std::string> seen;
  for (const Header& header : response.headers.all()) {
    const std::string name = ascii_lower(header.name);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
    const bool is_text = simdjson::validate_utf8(name) && simdjson::validate_utf8(header.value);
    if (!is_text) continue;
    if (!seen.empty()) out.push_back(',');
    append_member(out, name);
    append_json_string(header.value, out);
    seen.push_back(name);
  }
  out.append("},\"body\":");
  append_body(out, response.body);
  return out + "}";
}

// A mapping's result, which is JSON, as a text for people.
std::string text_of(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element value;
  if (parser.parse(simdjson::padded_string(json)).get(value) != simdjson::SUCCESS) return "";
  if (value.is_null()) return "";
  std::string_view text;
  return one_line(value.get(text) == simdjson::SUCCESS ? text : std::string_view(json), kMessage);
}

void tell(const DocumentError& error, const std::string& path, Reading& reading) {
  for (const Mistake& mistake : error.mistakes()) {
    reading.mistake(mistake.code, mistake.message, path);
  }
}

}  // namespace

AnswerRules::AnswerRules(const Json& document, const std::string& path, const CompileRule& compile,
                         Reading& reading) {
  const auto rule = [&](const char* key, const Json& mapping, const Json& filter) -> Rule {
    try {
      return compile(mapping, filter);
    } catch (const DocumentError& error) {
      tell(error, path + "." + key, reading);
      return {};
    }
  };
  if (document.contains("success")) {
    success_ = rule("success", true, reading.object(document, "success", path));
  }
  if (document.contains("message")) message_ = rule("message", document.at("message"), Json());
}

bool AnswerRules::met_by(const Response& response) const {
  return !success_(object_of(response)).empty();
}

std::string AnswerRules::words_of(const Response& response) const {
  return message_ ? text_of(message_(object_of(response))) : "";
}

}  // namespace fieldpost
