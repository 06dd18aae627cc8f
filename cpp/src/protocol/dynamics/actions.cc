#include "protocol/dynamics/actions.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/uuid.h"
#include "protocol/dynamics/ids.h"
#include "protocol/dynamics/values.h"

namespace fieldpost::dynamics {

namespace {

[[noreturn]] void refuse_condition() {
  throw CallFault{"E520", "if_match gives no version for this event",
                  "mapping: give an ETag as the service writes it, or \"*\""};
}

// * or an entity tag (RFC 9110, 8.8.3), weak or strong.
bool is_version(std::string_view value) {
  if (value == "*") return true;
  if (value.starts_with("W/")) value.remove_prefix(2);
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return false;
  value = value.substr(1, value.size() - 2);
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != '"'; });
}

}  // namespace

const Write& write_of(const Call& call) { return static_cast<const Write&>(*call.notes); }

void note_former(const Reference& reference, std::vector<std::string> others, Write& write) {
  if (!reference.id.empty() && !others.empty()) write.former[reference.id] = std::move(others);
}

Particulars::Particulars(std::string_view json)
    : body_(std::make_unique<JsonBody>(json.empty() ? "{}" : json)),
      members_(body_->members(body_->whole())) {}

std::optional<JsonPart> Particulars::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name && !member.value.is_nothing()) return member.value;
  }
  return std::nullopt;
}

Reference Order::row(const KeyForm& form, std::optional<JsonPart> key) const {
  const bool is_object = key && key->kind == JsonKind::object;
  if (key && is_object == form.is_value) {
    throw CallFault{"E517", "the key is of another form for this event than the mapping says",
                    "mapping: give the key one value, or write its columns out"};
  }
  std::optional<Reference> found;
  if (key) found = references.find(*form.table, particulars.body(), *key);
  if (found) return *std::move(found);
  throw CallFault{"E517", "the key is missing for this event",
                  "record: give the event what the key is made of, or filter such events out"};
}

Row Order::read(const RowRules& rules, const Table& table) const {
  return RowReader(tables, references, rules, id_of).read(body, table);
}

std::vector<Header> Order::condition() const {
  if (!subscription.has_if_match) return {};
  const std::optional<JsonPart> given = particulars.find("if_match");
  const std::string text = given && given->kind == JsonKind::text ? given->text() : "";
  if (!is_version(text)) refuse_condition();
  return {{"If-Match", text}};
}

std::vector<Header> Order::options() const {
  std::vector<Header> headers = subscription.options;
  if (const auto who = person()) headers.push_back(*who);
  return headers;
}

std::optional<Header> Order::person() const {
  if (subscription.impersonates.empty()) return std::nullopt;
  const std::optional<JsonPart> who = particulars.find("impersonate");
  const std::string id = who && who->kind == JsonKind::text ? who->text() : "";
  if (!is_uuid(id)) {
    throw CallFault{"E521", "impersonate gives no id of a user for this event",
                    "mapping: give the object id of the user in Microsoft Entra ID, or {user: …}"};
  }
  return Header{subscription.impersonates, id};
}

void Order::note_event(Write& write) const {
  if (subscription.by_event.contains("impersonate")) write.person = person();
  write.owner_by_event = subscription.by_event.contains("owner");
  write.currency_by_event = subscription.by_event.contains("currency");
}

std::optional<std::int64_t> Order::choice(const std::string& particular,
                                          const std::string& column) const {
  const std::optional<JsonPart> given = particulars.find(particular);
  if (!given) return std::nullopt;
  std::string json(given->json);
  const auto& columns = subscription.key.table->columns;
  if (const auto rule = columns.find(column); rule != columns.end()) {
    const auto number = converted(particulars.body(), *given, rule->second, column);
    if (!number) return std::nullopt;
    json = *number;
  }
  std::int64_t number = 0;
  const char* end = json.data() + json.size();
  const auto [after, error] = std::from_chars(json.data(), end, number);
  if (error == std::errc() && after == end) return number;
  throw CallFault{
      "E420", "the value of " + particular + " is no number of " + column,
      "record: give a number that the column has, or a label where the schema is known"};
}

Call Order::plain(Part part, Write write) const {
  Call call;
  call.request.method = std::move(part.method);
  call.request.url = api + part.path;
  call.request.headers = std::move(part.headers);
  if (!part.body.empty()) {
    call.request.headers.push_back({"Content-Type", "application/json"});
    call.request.body = std::move(part.body);
    call.request.has_body = true;
  }
  note_event(write);
  call.notes = std::make_shared<const Write>(std::move(write));
  return call;
}

Call Order::together(std::vector<Part> parts, Write write) const {
  Call call;
  call.request = change_set(parts, api, request_id(id_of("$")));
  // What acts for the whole request: who asks.
  for (const Header& header : options()) call.request.headers.push_back(header);
  write.parts = std::move(parts);
  note_event(write);
  call.notes = std::make_shared<const Write>(std::move(write));
  return call;
}

}  // namespace fieldpost::dynamics
