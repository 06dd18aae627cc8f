#include "protocol/dynamics/reference.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/number.h"
#include "base/text.h"
#include "base/uuid.h"
#include "fieldpost/protocol.h"
#include "protocol/dynamics/ids.h"
#include "protocol/dynamics/values.h"

namespace fieldpost::dynamics {

namespace {

constexpr const char* kKeyForms =
    "mapping: a key is one value, or an object of the primary key alone, or of the columns of an "
    "alternate key";

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  });
}

bool is_lookup(std::string_view column) {
  return column.starts_with('_') && column.ends_with("_value");
}

// Characters that the service does not take in a key, encoded or not, and what is no text.
bool travels(std::string_view text) {
  constexpr std::string_view kRefused = "/<>*%&:\\?+#";
  return std::none_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F || kRefused.find(c) != std::string_view::npos;
  });
}

bool holds_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos;
       at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

void append_encoded(std::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~@";
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
}

std::string quoted(const std::string& column, std::string_view text) {
  if (!travels(text) || holds_surrogate(text)) {
    throw CallFault{"E516", "the value of the key column " + column + " cannot stand in an address",
                    "mapping: a text with / < > * % & : \\ ? + # does not travel in a key; use "
                    "one value as key, from which an id is derived"};
  }
  std::string twice;
  for (const char c : text) twice.append(c == '\'' ? 2 : 1, c);
  std::string out = "'";
  append_encoded(twice, out);
  return out + "'";
}

std::string id_in(JsonPart value) {
  const std::string text = value.kind == JsonKind::text ? value.text() : std::string();
  if (is_uuid(text)) return text;
  throw CallFault{"E515", "a key is no UUID where an id is expected",
                  "mapping: give the id of a row, or one value as business key"};
}

// A number is one key however it is written.
std::string key_text(JsonPart key) {
  if (key.kind == JsonKind::text) return key.text();
  return key.kind == JsonKind::number ? number_key(key.json) : std::string(key.json);
}

// A plain literal of OData: a number, true, false or a date.
std::string plain(const std::string& column, std::string_view token) {
  if (token.find('+') == std::string_view::npos) return std::string(token);
  throw CallFault{"E516", "the value of the key column " + column + " cannot stand in an address",
                  "record: write the number without an exponent"};
}

// A value of another kind would be a mistake of the address, for which the service blames the form
// of the request and not the row.
void check_kind(const Table& table, const std::string& column, std::string_view json) {
  const auto found = table.key_columns.find(column);
  if (found == table.key_columns.end()) return;
  const KeyKind kind = found->second;
  std::int32_t whole = 0;
  const char* end = json.data() + json.size();
  const auto [after, error] = std::from_chars(json.data(), end, whole);
  const bool fits = kind == KeyKind::text    ? json.front() == '"'
                    : kind == KeyKind::whole ? error == std::errc() && after == end
                                             : is_json_number(json);
  if (fits) return;
  const char* words = kind == KeyKind::text    ? " is no text"
                      : kind == KeyKind::whole ? " is no whole number"
                                               : " is no number";
  throw CallFault{"E517", "the value of the key column " + column + words,
                  kind == KeyKind::text ? "mapping: write {\"@string\": …} around it"
                                        : "mapping: write {\"@number\": …} around it"};
}

std::string literal(const Table& table, const std::string& column, JsonBody& body, JsonPart value) {
  if (is_lookup(column) || column == table.key) return id_in(value);
  const auto rule = table.columns.find(column);
  std::string json(value.json);
  bool is_date = false;
  if (rule != table.columns.end()) {
    auto fitting = converted(body, value, rule->second, column);
    if (!fitting) throw CallFault{"E517", "the key is missing for this event", kKeyForms};
    json = std::move(*fitting);
    is_date = rule->second.kind == Conversion::Kind::date;
  }
  if (value.kind == JsonKind::number && is_json_number(json) &&
      (is_whole_number(json) || json.find('+') != std::string::npos)) {
    json = number_key(json);
  }
  check_kind(table, column, json);
  if (json.front() != '"') return plain(column, json);
  if (is_date) return json.substr(1, json.size() - 2);
  return quoted(column, JsonPart{json, JsonKind::text}.text());
}

[[noreturn]] void refuse_address(std::string_view property) {
  throw CallFault{"E424", "the value of " + std::string(property) + " is no address of a row",
                  "record: give {\"@bind\": {table, key}} what the key is made of"};
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Nothing where a percent sign begins no byte.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// 'text' with its quotes doubled, or a plain literal.
bool is_key_value(std::string_view value) {
  if (!value.starts_with('\'')) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
      return is_name(std::string_view(&c, 1)) || c == '-' || c == '.' || c == ':';
    });
  }
  if (value.size() < 2 || !value.ends_with('\'')) return false;
  value = value.substr(1, value.size() - 2);
  for (std::size_t at = 0; (at = value.find('\'', at)) != std::string_view::npos; at += 2) {
    if (at + 1 >= value.size() || value[at + 1] != '\'') return false;
  }
  const std::optional<std::string> text = decoded(value);
  return text && travels(*text);
}

// Where a text in quotes ends, behind its last quote; nothing where it does not.
std::optional<std::size_t> end_of_quoted(std::string_view key) {
  for (std::size_t at = key.find('\'', 1); at != std::string_view::npos;
       at = key.find('\'', at + 2)) {
    if (at + 1 >= key.size() || key[at + 1] != '\'') return at + 1;
  }
  return std::nullopt;
}

// "new_key='a',new_code=5"
bool are_key_values(std::string_view key) {
  while (true) {
    const std::size_t equals = key.find('=');
    if (equals == std::string_view::npos || !is_name(key.substr(0, equals))) return false;
    key.remove_prefix(equals + 1);
    const std::optional<std::size_t> end =
        key.starts_with('\'') ? end_of_quoted(key) : std::min(key.find(','), key.size());
    if (!end || !is_key_value(key.substr(0, *end))) return false;
    key.remove_prefix(*end);
    if (key.empty()) return true;
    if (key.front() != ',') return false;
    key.remove_prefix(1);
  }
}

// Behind the host and the path of the API, where the address is a whole one.
std::string_view within_api(std::string_view address) {
  if (address.starts_with("https://") || address.starts_with("http://")) {
    const std::size_t api = address.find("/api/data/v");
    const std::size_t end = api == address.npos ? api : address.find('/', api + 11);
    return end == address.npos ? std::string_view() : address.substr(end + 1);
  }
  if (address.starts_with('/')) address.remove_prefix(1);
  return address;
}

Reference of_id(const Table& table, std::string id) {
  Reference reference;
  reference.table = &table;
  reference.key = id;
  reference.id = std::move(id);
  return reference;
}

}  // namespace

std::string encoded(std::string_view text) {
  std::string out;
  append_encoded(text, out);
  return out;
}

void check_address(std::string_view property, std::string_view address) {
  if (address.starts_with('$')) return;
  const std::string_view row = within_api(trim(address));
  const std::size_t open = row.find('(');
  if (open == std::string_view::npos || !row.ends_with(')') || !is_name(row.substr(0, open))) {
    refuse_address(property);
  }
  const std::string_view key = row.substr(open + 1, row.size() - open - 2);
  if (!is_uuid(key) && !are_key_values(key)) refuse_address(property);
}

void Reference::lie_in(const std::string& partition) {
  if (partition.empty() || columns.contains(kPartition) || id.empty()) return;
  key = table->key + "=" + id + "," + kPartition + "=" + quoted(kPartition, partition);
  columns.insert(kPartition);
}

std::vector<std::string> Reference::others() const {
  std::vector<std::string> all = former;
  if (!given.empty()) all.push_back(given);
  return all;
}

// No row of a table that only others fill has an id of ours, so a key like an id is one there.
Reference References::hashed(const Table& table, const std::string& key,
                             const std::string& written) const {
  const std::string text(trim(key));
  if (table.others && is_uuid(text)) return of_id(table, text);
  Reference reference = of_id(table, key_id(environment_.name, table.name, text));
  for (const std::string& name : environment_.former) {
    reference.former.push_back(key_id(name, table.name, text));
  }
  if (written != key) {
    reference.former.push_back(key_id(environment_.name, table.name, written));
    for (const std::string& name : environment_.former) {
      reference.former.push_back(key_id(name, table.name, written));
    }
  }
  if (is_uuid(text)) reference.given = text;
  return reference;
}

const Table& References::table(const std::string& name) const {
  const auto found = tables_.find(name);
  if (found != tables_.end()) return found->second;
  throw CallFault{"E519", "a bind names a table that is not described",
                  "mapping: correct the table of the bind"};
}

std::optional<Reference> References::find(const Table& table, JsonBody& body, JsonPart key) const {
  if (key.is_nothing()) return std::nullopt;
  if (key.kind == JsonKind::list) throw CallFault{"E517", "the key is a list", kKeyForms};
  if (key.kind != JsonKind::object) {
    const std::string text = key_text(key);
    if (trim(text).empty()) return std::nullopt;
    // Earlier releases took a number as it was written for the key.
    return hashed(table, text, key.kind == JsonKind::number ? std::string(key.json) : text);
  }
  const std::vector<Member> parts = body.members(key);
  if (parts.size() != 1 || parts.front().name != table.key) return alternate(table, body, parts);
  if (parts.front().value.is_nothing()) return std::nullopt;
  return of_id(table, id_in(parts.front().value));
}

std::optional<Reference> References::alternate(const Table& table, JsonBody& body,
                                               const std::vector<Member>& parts) const {
  Reference reference;
  reference.table = &table;
  for (const Member& part : parts) {
    if (!is_name(part.name)) throw CallFault{"E517", "a key has a column of no name", kKeyForms};
    if (part.value.is_nothing()) return std::nullopt;
    if (part.value.kind == JsonKind::object || part.value.kind == JsonKind::list) {
      throw CallFault{"E517", "the key column " + part.name + " is no single value", kKeyForms};
    }
    if (!reference.columns.insert(part.name).second) {
      throw CallFault{"E517", "the key column " + part.name + " stands twice", kKeyForms};
    }
    if (!reference.key.empty()) reference.key.push_back(',');
    reference.key.append(part.name).append("=").append(literal(table, part.name, body, part.value));
    if (part.name == table.key) reference.id = id_in(part.value);
  }
  if (reference.key.empty()) return std::nullopt;
  return reference;
}

std::optional<Reference> References::bound(JsonBody& body, JsonPart bind) const {
  const Table* target = nullptr;
  JsonPart key{"null", JsonKind::null};
  for (const Member& member : body.members(bind)) {
    if (member.name == "key") key = member.value;
    if (member.name != "table") continue;
    target = &table(member.value.kind == JsonKind::text ? member.value.text() : "");
  }
  if (target == nullptr) {
    throw CallFault{"E519", "a bind names no table", "mapping: write {table: …, key: …}"};
  }
  return find(*target, body, key);
}

std::optional<JsonPart> bind_in(JsonBody& body, JsonPart value) {
  if (value.kind != JsonKind::object || value.json.find("@bind") == std::string_view::npos) {
    return std::nullopt;
  }
  const std::vector<Member> members = body.members(value);
  if (members.size() != 1 || members.front().name != "@bind") return std::nullopt;
  if (members.front().value.kind == JsonKind::object) return members.front().value;
  throw CallFault{"E519", "a bind is no object", "mapping: write {table: …, key: …}"};
}

}  // namespace fieldpost::dynamics
