#include "protocol/dynamics/dynamics.h"

#include <utility>

#include "protocol/dynamics/faults.h"
#include "protocol/dynamics/ids.h"
#include "protocol/reading.h"
#include "protocol/unanswered.h"

namespace fieldpost {

namespace {

constexpr const char* kPathOfApi = "/api/data/v9.2/";

std::vector<Header> common_headers(const Call& call) {
  return {{"Accept", "application/json"},
          {"OData-MaxVersion", "4.0"},
          {"OData-Version", "4.0"},
          {"If-None-Match", "null"},
          {"x-ms-client-request-id", call.request_id}};
}

// A proxy's sign-in page comes with 200 as well; the service itself always tells its version.
bool is_from_service(const Response& response) {
  return response.status == 201 || response.status == 204 ||
         !response.header("OData-Version").empty();
}

bool is_success(int status) { return status >= 200 && status < 300; }

Verdict web_page() {
  Verdict verdict;
  verdict.kind = Verdict::Kind::pause;
  verdict.code = "E505";
  verdict.message = "something other than Dynamics 365 answered, perhaps a sign-in page";
  verdict.action_needed = "operator: check url, and the proxy between here and Dynamics 365";
  return verdict;
}

std::string service_request_id(const Response& response) {
  const std::string_view id = response.header("x-ms-service-request-id");
  return std::string(id.empty() ? response.header("REQ_ID") : id);
}

}  // namespace

Dynamics::Dynamics(const Json& document) {
  Reading reading;
  destination_ = reading.text(document, "destination", "$.protocol");
  api_ = reading.text(document, "url", "$.protocol");
  while (api_.ends_with('/')) api_.pop_back();
  api_ += kPathOfApi;
  client_id_ = reading.text(document, "client_id", "$.protocol", false);
  read_tables(document, reading);
  for (const Json& given : reading.list(document, "subscriptions", "$.protocol")) {
    read_subscription(given, reading);
  }
  read_packing(document, reading);
  reading.finish();
}

void Dynamics::read_packing(const Json& document, Reading& reading) {
  const std::string name = reading.text(document, "batching", "$.protocol", false);
  const std::optional<Packing::Mode> mode = Packing::mode_named(name);
  if (!mode) reading.mistake("E613", "must be off, batch, bulk or auto", "$.protocol.batching");
  std::vector<BulkTable> tables;
  for (const auto& [table, names] : tables_) tables.push_back({names.set, table, names.key});
  packing_ = Packing(mode.value_or(Packing::Mode::off), api_, tables);
}

void Dynamics::read_tables(const Json& document, Reading& reading) {
  for (const auto& [name, given] : reading.object(document, "tables", "$.protocol").items()) {
    const std::string path = "$.protocol.tables." + name;
    Table& table = tables_[name];
    table.set = reading.text(given, "set", path);
    table.key = reading.text(given, "key", path);
    for (const auto& [property, target] : reading.object(given, "navigation", path).items()) {
      table.navigation[property] = target.is_string() ? target.get<std::string>() : "";
    }
  }
  for (const auto& [name, table] : tables_) {
    for (const auto& [property, target] : table.navigation) {
      if (tables_.contains(target)) continue;
      std::string path = "$.protocol.tables." + name;
      path.append(".navigation.").append(property);
      reading.mistake("E614", "table \"" + target + "\" is not described", std::move(path));
    }
  }
}

void Dynamics::read_subscription(const Json& given, Reading& reading) {
  const std::string path =
      "$.protocol.subscriptions[" + std::to_string(subscriptions_.size()) + "]";
  Subscription& subscription = subscriptions_.emplace_back();
  subscription.id = reading.text(given, "id", path);
  const std::string action = reading.text(given, "action", path);
  if (action != "create") {
    reading.mistake("E614", "unknown action \"" + action + "\"; known is create", path + ".action");
  }
  const std::string table = reading.text(given, "table", path);
  const auto found = tables_.find(table);
  if (found == tables_.end()) {
    reading.mistake("E614", "table \"" + table + "\" is not described", path + ".table");
  } else {
    subscription.table = &found->second;
  }
}

Call Dynamics::encode(const Batch& batch, const Record& record) const {
  const Subscription& subscription = subscriptions_.at(record.subscription);
  const std::string_view event_id = batch.text(record.event_id);
  if (event_id.empty()) {
    throw CallFault{"E514", "the event has no identity to make ids from", "mapping: set event_id"};
  }
  KeyedBody body = write_row_keys(
      batch.text(record.body), tables_, *subscription.table,
      [&](std::string_view path) { return row_id(destination_, subscription.id, event_id, path); });
  Call call;
  call.subscription = record.subscription;
  call.replay_safe = true;
  call.record_id = std::move(body.root_key);
  call.request_id = request_id(call.record_id);
  call.request.method = "POST";
  call.request.url = api_ + subscription.table->set;
  call.request.headers = common_headers(call);
  call.request.headers.push_back({"Content-Type", "application/json"});
  call.request.body = std::move(body.text);
  call.request.has_body = true;
  packing_.prepare(call);
  return call;
}

Verdict Dynamics::decode(const Call& call, const Response& response, double now_s) const {
  if (response.fault != Fault::none) return unanswered(call, response, call.replay_safe);
  Verdict verdict;
  if (!is_success(response.status)) {
    verdict = decode_service_error(response, client_id_, now_s);
    if (verdict.kind == Verdict::Kind::verify) verdict.question = question(call);
  } else if (is_from_service(response)) {
    verdict.kind = Verdict::Kind::delivered;
    verdict.effect = "created";
  } else {
    verdict = web_page();
  }
  verdict.record_id = call.record_id;
  verdict.request_id = service_request_id(response);
  return verdict;
}

std::optional<Request> Dynamics::question(const Call& call) const {
  const Table& table = *subscriptions_.at(call.subscription).table;
  Request request;
  request.method = "GET";
  request.url = api_ + table.set + "(" + call.record_id + ")?$select=" + table.key;
  request.headers = common_headers(call);
  return request;
}

// Found: an earlier sending did it, although its answer was lost. Not found: the unique value that
// stands in the way is of somebody else's row, so the refusal was meant.
Verdict Dynamics::decode_answer(const Call& call, const Response& response, double now_s) const {
  using Kind = Verdict::Kind;
  if (response.status == 404 && !read_service_error(response).code.empty()) {
    Verdict refused;
    refused.kind = Kind::rejected;
    refused.request_id = service_request_id(response);
    return refused;
  }
  Verdict verdict = decode(call, response, now_s);
  const bool unreadable = verdict.kind == Kind::rejected || verdict.kind == Kind::verify ||
                          (response.status == 403 && verdict.kind != Kind::again);
  if (unreadable) {
    verdict.kind = Kind::unconfirmed;
    verdict.action_needed = "administrator: let the application user read this table, then replay";
    verdict.question.reset();
  }
  return verdict;
}

}  // namespace fieldpost
