#include "protocol/dynamics/members.h"

#include <simdjson.h>

#include "base/text.h"
#include "fieldpost/protocol.h"

namespace fieldpost::dynamics {

namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kSpace = " \t\r\n";

std::string_view without_space(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

JsonKind kind_of(std::string_view json) {
  switch (json.empty() ? '\0' : json.front()) {
    case '{':
      return JsonKind::object;
    case '[':
      return JsonKind::list;
    case '"':
      return JsonKind::text;
    case 't':
    case 'f':
      return JsonKind::boolean;
    case 'n':
      return JsonKind::null;
    default:
      return JsonKind::number;
  }
}

std::string_view token_of(ondemand::value value) {
  switch (value.type()) {
    case ondemand::json_type::object: {
      ondemand::object object = value.get_object();
      return object.raw_json();
    }
    case ondemand::json_type::array: {
      ondemand::array array = value.get_array();
      return array.raw_json();
    }
    default:
      return value.raw_json_token();
  }
}

JsonPart part_of(std::string_view token) {
  const std::string_view json = without_space(token);
  return {json, kind_of(json)};
}

[[noreturn]] void refuse() {
  throw CallFault{"E513", "the body is not a JSON object", "mapping: map to an object"};
}

void need_end(ondemand::document& document) {
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) refuse();
}

}  // namespace

struct JsonBody::State {
  explicit State(std::string_view json) : text(json) {}

  // A part has bytes behind it that may be read: those of the text, and its padding.
  simdjson::padded_string_view view(std::string_view json) const {
    const char* end = text.data() + text.size() + simdjson::SIMDJSON_PADDING;
    const auto capacity = static_cast<std::size_t>(end - json.data());
    return simdjson::padded_string_view(json.data(), json.size(), capacity);
  }

  simdjson::padded_string text;
  ondemand::parser parser;
};

JsonBody::JsonBody(std::string_view json) : state_(std::make_unique<State>(json)) {}
JsonBody::~JsonBody() = default;

JsonPart JsonBody::whole() const {
  return part_of(std::string_view(state_->text.data(), state_->text.size()));
}

std::vector<Member> JsonBody::members(JsonPart part) {
  std::vector<Member> found;
  if (part.kind != JsonKind::object) return found;
  try {
    ondemand::document document = state_->parser.iterate(state_->view(part.json));
    for (ondemand::field field : document.get_object()) {
      const char* begin = field.key().raw() - 1;
      std::string name(std::string_view(field.unescaped_key()));
      const JsonPart value = part_of(token_of(field.value()));
      const char* end = value.json.data() + value.json.size();
      found.push_back({std::move(name), value, {begin, static_cast<std::size_t>(end - begin)}});
    }
    need_end(document);
  } catch (const simdjson::simdjson_error&) {
    refuse();
  }
  return found;
}

std::vector<JsonPart> JsonBody::elements(JsonPart part) {
  std::vector<JsonPart> found;
  if (part.kind != JsonKind::list) return found;
  try {
    ondemand::document document = state_->parser.iterate(state_->view(part.json));
    for (ondemand::value value : document.get_array()) found.push_back(part_of(token_of(value)));
    need_end(document);
  } catch (const simdjson::simdjson_error&) {
    refuse();
  }
  return found;
}

std::string JsonPart::text() const {
  std::string said;
  append_unescaped(json.substr(1, json.size() - 2), said);
  return said;
}

}  // namespace fieldpost::dynamics
