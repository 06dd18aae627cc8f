#include "protocol/dynamics/bulk.h"

#include <algorithm>
#include <optional>

#include "base/uuid.h"
#include "protocol/dynamics/faults.h"
#include "protocol/dynamics/members.h"
#include "protocol/dynamics/verdicts.h"
#include "protocol/dynamics/write.h"

namespace fieldpost {

namespace {

using Kind = Verdict::Kind;
using dynamics::JsonBody;
using dynamics::JsonKind;
using dynamics::JsonPart;
using dynamics::Member;

constexpr std::string_view kTaken = "0x80040237";
constexpr std::string_view kNotSupported = "0x80040800";

// An address without the columns that it asks to be shown: no such message shows any.
std::string_view without_query(std::string_view url) { return url.substr(0, url.find('?')); }

// What stands between the brackets of accounts(...); nothing where the address has none.
std::optional<std::string_view> key_of(std::string_view url) {
  url = without_query(url);
  const std::size_t open = url.find('(');
  if (open == std::string_view::npos || !url.ends_with(')')) return std::nullopt;
  return url.substr(open + 1, url.size() - open - 2);
}

// The columns of an alternate key: "accountnumber='1',new_region=2".
std::vector<std::string_view> key_columns(std::string_view key) {
  std::vector<std::string_view> names;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t at = 0; at <= key.size(); ++at) {
    if (at < key.size() && (key[at] == '\'' || key.substr(at, 3) == "%27")) quoted = !quoted;
    if (at < key.size() && (key[at] != ',' || quoted)) continue;
    const std::string_view pair = key.substr(begin, at - begin);
    names.push_back(pair.substr(0, pair.find('=')));
    begin = at + 1;
  }
  return names;
}

bool is_plain_header(const Header& header) {
  for (const char* name :
       {"Accept", "OData-Version", "OData-MaxVersion", "Content-Type", "x-ms-client-request-id"}) {
    if (same_name(header.name, name)) return true;
  }
  // Shown is only whether the row was created, which no bulk message tells.
  if (same_name(header.name, "Prefer") && header.value == "return=representation") return true;
  return same_name(header.name, "If-None-Match") && header.value == "null";
}

bool is_shared_header(const Header& header) {
  return same_name(std::string_view(header.name).substr(0, 6), "MSCRM.") ||
         same_name(header.name, "MSCRMCallerID") || same_name(header.name, "CallerObjectId");
}

// A flat body, which says nothing but columns.
bool is_flat(const std::string& text) {
  JsonBody body(text);
  const JsonPart whole = body.whole();
  const std::vector<Member> members = body.members(whole);
  return whole.kind == JsonKind::object &&
         std::none_of(members.begin(), members.end(), [](const Member& member) {
           const JsonKind kind = member.value.kind;
           return kind == JsonKind::object || kind == JsonKind::list ||
                  member.name == "@odata.type" || member.name == "@odata.id";
         });
}

void write_target(std::string& text, BulkMessage message, const BulkTable& table,
                  const Call& call) {
  text.append("{\"@odata.type\":\"Microsoft.Dynamics.CRM.").append(table.name).append("\"");
  const std::string_view body = call.request.body;
  if (message == BulkMessage::create && call.request.method == "POST") {
    const std::size_t open = body.find('{') + 1;
    const bool empty = body.find_first_not_of(" \t\r\n", open) == body.rfind('}');
    text.append(empty ? "" : ",").append(body.substr(open));
    return;
  }
  const std::string_view key = key_of(call.request.url).value_or("");
  std::vector<std::string_view> left_out = {table.key};
  if (is_uuid(key)) {
    text.append(",\"").append(table.key).append("\":\"").append(key).append("\"");
  } else {
    const std::string_view url = without_query(call.request.url);
    const std::size_t segment = url.rfind('/', url.find('(')) + 1;
    text.append(",\"@odata.id\":\"").append(url.substr(segment)).append("\"");
    left_out = key_columns(key);
  }
  JsonBody columns(body);
  for (const Member& member : columns.members(columns.whole())) {
    if (std::find(left_out.begin(), left_out.end(), member.name) != left_out.end()) continue;
    text.append(",").append(member.json);
  }
  text.append("}");
}

// UpsertMultiple does not tell which it was.
const char* effect_of(BulkMessage message) {
  switch (message) {
    case BulkMessage::create:
      return "created";
    case BulkMessage::update:
      return "updated";
    default:
      return "accepted";
  }
}

bool is_success(const Response& response) {
  const bool good = response.status == 200 || response.status == 204;
  return good && (response.status == 204 || !response.header("OData-Version").empty());
}

bool are_of_one_subscription(const std::vector<const Call*>& calls) {
  return std::all_of(calls.begin(), calls.end(), [&](const Call* call) {
    return call->subscription == calls.front()->subscription;
  });
}

// A message that is refused is sent again in halves: at once where a row must be to blame, after a
// wait where the service is. A privilege is one of the table, not of a row.
Verdict of_several(Verdict verdict, const std::vector<const Call*>& calls) {
  if (verdict.code == kLacksPrivilege && are_of_one_subscription(calls)) return verdict;
  if (verdict.kind == Kind::again && verdict.give_up_after > 0) {
    verdict.alone = true;
    verdict.give_up_after = 0;  // that is for the row alone to find out
    if (verdict.http_status < 500) verdict.kind = Kind::rejected;
  } else if (verdict.kind == Kind::again && verdict.code == "0x80044151") {
    verdict.alone = true;  // it ran out of time
  } else if (verdict.kind == Kind::rejected || verdict.kind == Kind::verify ||
             verdict.kind == Kind::go_on || verdict.kind == Kind::delivered ||
             verdict.kind == Kind::pause_subscription) {
    verdict.kind = Kind::rejected;
    verdict.alone = true;
  }
  verdict.question.reset();
  verdict.next.reset();
  return verdict;
}

}  // namespace

const char* name_of(BulkMessage message) {
  switch (message) {
    case BulkMessage::create:
      return "CreateMultiple";
    case BulkMessage::upsert:
      return "UpsertMultiple";
    default:
      return "UpdateMultiple";
  }
}

std::string_view set_of(std::string_view api, std::string_view url) {
  if (!url.starts_with(api)) return {};
  url = without_query(url.substr(api.size()));
  const std::string_view set = url.substr(0, url.find('('));
  if (set.find_first_of("/?$)") != std::string_view::npos) return {};
  const std::string_view key = url.substr(set.size());
  const bool whole = key.empty() || (key.ends_with(')') && key.find('/') == std::string_view::npos);
  return whole ? set : std::string_view();
}

BulkMessage bulk_message(const Call& call, const BulkTable& table) {
  const Request& request = call.request;
  const auto* write = dynamic_cast<const dynamics::Write*>(call.notes.get());
  const bool has_next =
      write && (write->where_missing || write->where_there || write->where_untied);
  if (has_next) return BulkMessage::none;  // what follows depends on its own answer
  const std::optional<std::string_view> key = key_of(request.url);
  const bool creates = request.method == "POST" && !key && !call.record_id.empty();
  const bool writes = request.method == "PATCH" && key.has_value();
  if ((!creates && !writes) || table.name.empty()) return BulkMessage::none;
  if (request.url.find_first_of("\"\\") != std::string::npos) return BulkMessage::none;
  BulkMessage message = creates ? BulkMessage::create : BulkMessage::upsert;
  for (const Header& header : request.headers) {
    if (is_plain_header(header) || is_shared_header(header)) continue;
    const bool must_exist = same_name(header.name, "If-Match") && header.value == "*";
    const bool must_not = same_name(header.name, "If-None-Match") && header.value == "*";
    if (!writes || !is_uuid(*key) || !(must_exist || must_not)) return BulkMessage::none;
    message = must_exist ? BulkMessage::update : BulkMessage::create;
  }
  return is_flat(request.body) ? message : BulkMessage::none;
}

std::string bulk_headers(const Call& call) {
  std::string text;
  for (const Header& header : call.request.headers) {
    if (is_shared_header(header)) {
      text.append(header.name).append("=").append(header.value).append(";");
    }
  }
  return text;
}

Request write_bulk(std::string_view api, BulkMessage message, const BulkTable& table,
                   const std::vector<const Call*>& calls) {
  Request request;
  request.method = "POST";
  request.url = std::string(api) + table.set + "/Microsoft.Dynamics.CRM." + name_of(message);
  request.headers = {{"Accept", "application/json"},
                     {"OData-MaxVersion", "4.0"},
                     {"OData-Version", "4.0"},
                     {"If-None-Match", "null"},
                     {"x-ms-client-request-id", uuid5(calls.front()->request_id, "bulk")},
                     {"Content-Type", "application/json"}};
  for (const Header& header : calls.front()->request.headers) {
    if (is_shared_header(header)) request.headers.push_back(header);
  }
  std::size_t bytes = 32;
  for (const Call* call : calls) bytes += call->request.body.size() + 128;
  request.body.reserve(bytes);
  request.body = "{\"Targets\":[";
  for (const Call* call : calls) {
    if (call != calls.front()) request.body.push_back(',');
    write_target(request.body, message, table, *call);
  }
  request.body.append("]}");
  request.has_body = true;
  return request;
}

// The documented refusal, and the address that names no action of this set.
bool lacks_message(const Response& response, const ServiceError& error) {
  if (response.fault != Fault::none || response.status < 400) return false;
  if (response.status == 405 || response.status == 501) return true;
  const std::string& code = error.code;
  if (code == kNotSupported) return true;
  return response.status == 404 && (code.empty() || code == "0x80060888" || code == "0x8006088a");
}

std::vector<Verdict> decode_bulk(const Protocol& protocol, BulkMessage message,
                                 const std::vector<const Call*>& calls, const Response& response,
                                 double now_s) {
  std::vector<Verdict> verdicts;
  verdicts.reserve(calls.size());
  if (response.fault != Fault::none) {
    for (const Call* call : calls) verdicts.push_back(protocol.decode(*call, response, now_s));
    return verdicts;
  }
  Verdict verdict = protocol.decode(*calls.front(), response, now_s);
  const ServiceError error = is_success(response) ? ServiceError() : read_service_error(response);
  const bool taken =
      message == BulkMessage::create && (verdict.code == kTaken || verdict.kind == Kind::verify);
  verdict.http_status = response.status;
  if (is_success(response)) {
    verdict.kind = Kind::delivered;
    verdict.effect = effect_of(message);
  } else if (lacks_message(response, error)) {
    verdict.kind = Kind::again;
    verdict.wait_s = 0;  // in another form
    verdict.give_up_after = 0;
  } else {
    verdict = of_several(std::move(verdict), calls);
  }
  for (const Call* call : calls) {
    Verdict& own = verdicts.emplace_back(verdict);
    own.record_id = call->record_id;
    own.unheard = !is_success(response) && dynamics::leaves_in_doubt(*call, response, error);
    if (!taken || own.kind == Kind::delivered) continue;
    own.question = protocol.question(*call);  // a lost answer may have said that it was taken
    const std::string_view token = response.header("x-ms-session-token");
    if (own.question && !token.empty()) {
      own.question->headers.push_back({"MSCRM.SessionToken", std::string(token)});
    }
    if (own.question) own.kind = Kind::verify;
    own.alone = true;
  }
  return verdicts;
}

}  // namespace fieldpost
