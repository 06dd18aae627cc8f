#include "protocol/dynamics/row.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "base/uuid.h"
#include "fieldpost/protocol.h"
#include "protocol/dynamics/values.h"

namespace fieldpost::dynamics {

namespace {

constexpr std::string_view kBind = "@odata.bind";

std::string named(std::string_view name, std::string_view json) {
  std::string member;
  append_json_string(name, member);
  return member.append(":").append(json);
}

void append_member(std::string_view member, std::string& members) {
  if (member.empty()) return;
  if (!members.empty()) members.push_back(',');
  members.append(member);
}

std::string own_id(JsonPart value) {
  std::string text = value.kind == JsonKind::text ? value.text() : "";
  if (is_uuid(text)) return text;
  throw CallFault{"E515", "the body has a primary key that is not a UUID",
                  "mapping: leave the primary key out, or give it a UUID"};
}

std::string partition_in(JsonPart value) {
  if (value.is_nothing()) return "";
  if (value.kind == JsonKind::text) return value.text();
  throw CallFault{"E425", "the partition is no text for this event",
                  "mapping: write {\"@string\": …} around it"};
}

// The service would blame the form of the request, and so every event of the subscription.
[[noreturn]] void refuse_value(const std::string& property, const Navigation& navigation) {
  const char* what = navigation.collection ? " is no list of rows" : " is no row";
  throw CallFault{"E426", "the value of the lookup " + property + what,
                  "mapping: bind a row that is there: {\"@bind\": {table, key}}"};
}

void check_addresses(JsonBody& body, const Member& bind) {
  const bool is_list = bind.value.kind == JsonKind::list;
  for (const JsonPart one : is_list ? body.elements(bind.value) : std::vector{bind.value}) {
    check_address(bind.name, one.kind == JsonKind::text ? one.text() : "");
  }
}

}  // namespace

// Today's id comes last once more: the row may yet be made under it.
void Row::bind(const Reference& target) {
  binds = true;
  std::vector<std::string> others = target.others();
  if (target.id.empty() || others.empty()) return;
  others.push_back(target.id);
  former[target.id] = std::move(others);
}

void Row::add(std::string_view member) { append_member(member, columns); }

std::size_t Row::nested() const {
  std::size_t count = 0;
  for (const Branch& branch : branches) {
    for (const Row& row : branch.rows) count += 1 + row.nested();
  }
  return count;
}

std::string Row::deep(std::string_view more) const {
  std::string members;
  if (!id.empty()) append_member(named(table->key, "\"" + id + "\""), members);
  append_member(columns, members);
  append_member(more, members);
  for (const Branch& branch : branches) {
    std::string rows;
    for (const Row& row : branch.rows) append_member(row.deep(), rows);
    if (branch.is_list) rows = "[" + rows + "]";
    append_member(named(branch.property, rows), members);
  }
  return "{" + members + "}";
}

std::string bind_member(const std::string& property, const std::string& path) {
  return named(property + std::string(kBind), "\"/" + path + "\"");
}

Row RowReader::read(std::string_view text, const Table& table) {
  JsonBody body(text);
  if (body.whole().kind != JsonKind::object) {
    throw CallFault{"E513", "the body is not a JSON object", "mapping: map to an object"};
  }
  return row(body, body.whole(), table);
}

void RowReader::read_more(std::string_view text, Row& row) {
  JsonBody body(text);
  members(body, body.whole(), row);
}

Row RowReader::row(JsonBody& body, JsonPart object, const Table& table) {
  Row row;
  row.table = &table;
  members(body, object, row);
  if (row.id.empty() && (table.keyed || is_outermost())) row.id = id_of_(path_);
  return row;
}

void RowReader::members(JsonBody& body, JsonPart object, Row& row) {
  for (const Member& one : body.members(object)) member(body, one, row);
}

void RowReader::member(JsonBody& body, const Member& given, Row& row) {
  if (row.table->elastic && given.name == kPartition) row.partition = partition_in(given.value);
  if (is_outermost() && rules_.leaves.contains(given.name)) return;
  if (given.name == row.table->key) {
    row.id = own_id(given.value);
    row.brings_id = true;
    return;
  }
  if (given.value.is_nothing()) return nothing(given.name, row);
  if (const auto inner = bind_in(body, given.value)) {
    const std::optional<Reference> target = references_.bound(body, *inner);
    if (!target) return nothing(given.name + std::string(kBind), row);
    row.add(bind_member(given.name, target->path()));
    row.bind(*target);
    return;
  }
  const Navigation* navigation = row.table->find(given.name);
  if (navigation == nullptr) return column(body, given, row);
  if (!branch(body, given, *navigation, row)) refuse_value(given.name, *navigation);
}

// Left out, or emptied where the subscription says so.
void RowReader::nothing(const std::string& name, Row& row) {
  const std::string property = name.substr(0, name.find('@'));
  const bool clears = rules_.clears_all || (is_outermost() && rules_.clears.contains(property));
  if (!clears) return;
  const Navigation* navigation = row.table->find(property);
  if (navigation != nullptr && navigation->collection) return;
  const bool is_lookup = property != name || navigation != nullptr;
  row.add(named(is_lookup ? property + std::string(kBind) : property, "null"));
}

void RowReader::column(JsonBody& body, const Member& given, Row& row) {
  if (given.name.ends_with(kBind)) {
    row.binds = true;
    check_addresses(body, given);
  }
  const auto rule = row.table->columns.find(given.name);
  if (rule == row.table->columns.end()) {
    row.add(named(given.name, given.value.json));
  } else if (const auto json = converted(body, given.value, rule->second, given.name)) {
    if (*json == "null") return nothing(given.name, row);
    row.add(named(given.name, *json));
  }
}

// False where what hangs on the property are no rows.
bool RowReader::branch(JsonBody& body, const Member& given, const Navigation& navigation,
                       Row& row) {
  const bool is_list = given.value.kind == JsonKind::list;
  const std::vector<JsonPart> parts =
      is_list ? body.elements(given.value) : std::vector{given.value};
  const bool are_rows = std::all_of(parts.begin(), parts.end(),
                                    [](JsonPart part) { return part.kind == JsonKind::object; });
  if (!are_rows || navigation.tables.size() != 1) return false;
  const Table& table = tables_.at(navigation.tables.front());
  Branch branch{given.name, &navigation, is_list, {}};
  std::string binds;
  const std::size_t length = path_.size();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (const auto inner = bind_in(body, parts[i])) {
      const std::optional<Reference> target = references_.bound(body, *inner);
      if (!target) continue;
      append_member("\"/" + target->path() + "\"", binds);
      row.bind(*target);
      continue;
    }
    path_.append(".").append(given.name);
    if (is_list) path_.append("[").append(std::to_string(i)).append("]");
    branch.rows.push_back(this->row(body, parts[i], table));
    path_.resize(length);
    row.binds = row.binds || branch.rows.back().binds;
    row.former.insert(branch.rows.back().former.begin(), branch.rows.back().former.end());
  }
  if (!binds.empty()) {
    row.add(named(given.name + std::string(kBind), "[" + binds + "]"));
  }
  if (!branch.rows.empty() || (is_list && parts.empty())) row.branches.push_back(std::move(branch));
  return true;
}

}  // namespace fieldpost::dynamics
