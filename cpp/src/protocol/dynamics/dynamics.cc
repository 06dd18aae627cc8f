#include "protocol/dynamics/dynamics.h"

#include <utility>

#include "protocol/dynamics/actions.h"
#include "protocol/dynamics/ids.h"
#include "protocol/reading.h"

namespace fieldpost {

using namespace dynamics;

namespace {

constexpr const char* kPathOfApi = "/api/data/v9.2/";

Call encode_action(const Order& order) {
  switch (order.subscription.action) {
    case Action::create:
      return encode_create(order);
    case Action::upsert:
      return encode_upsert(order);
    case Action::update:
      return encode_update(order);
    case Action::remove:
      return encode_remove(order);
    case Action::associate:
      return encode_associate(order);
    case Action::assign:
      return encode_assign(order);
    case Action::set_state:
      return encode_set_state(order);
    case Action::win:
      return encode_win(order);
    case Action::lose:
      return encode_lose(order);
    case Action::qualify:
      return encode_qualify(order);
    default:
      return encode_disassociate(order);
  }
}

}  // namespace

Dynamics::Dynamics(const Json& document) {
  Reading reading;
  destination_ = reading.text(document, "destination", "$.protocol");
  std::string url = reading.text(document, "url", "$.protocol");
  while (url.ends_with('/')) url.pop_back();
  api_ = url + kPathOfApi;
  environment_.name = reading.text(document, "environment", "$.protocol", false);
  if (environment_.name.empty()) environment_.name = std::move(url);
  for (const Json& one : reading.list(document, "former_environments", "$.protocol")) {
    if (one.is_string()) environment_.former.push_back(one.get<std::string>());
  }
  client_id_ = reading.text(document, "client_id", "$.protocol", false);
  views_.push_back(std::make_unique<View>(read_tables(document, reading), environment_));
  verdicts_.emplace(api_, client_id_, views_.front()->tables);
  for (const Json& given : reading.list(document, "subscriptions", "$.protocol")) {
    const std::string path = "$.protocol.subscriptions[" + std::to_string(entries_.size()) + "]";
    const View& view = view_for(given, path, reading);
    entries_.push_back({read_subscription(given, path, view.tables, reading), &view});
  }
  read_packing(document, reading);
  operations_per_day_ = reading.count(document, "operations_per_day", "$.protocol", UINT32_MAX);
  reading.finish();
}

void Dynamics::read_packing(const Json& document, Reading& reading) {
  const std::string name = reading.text(document, "batching", "$.protocol", false);
  const std::optional<Packing::Mode> mode = Packing::mode_named(name);
  if (!mode) reading.mistake("E613", "must be off, batch, bulk or auto", "$.protocol.batching");
  std::vector<BulkTable> tables;
  for (const auto& [table, known] : views_.front()->tables) {
    tables.push_back({known.set, table, known.key});
  }
  packing_ = Packing(mode.value_or(Packing::Mode::off), api_, tables);
  const Json& known = reading.object(document, "bulk", "$.protocol");
  for (const auto& [table, messages] : known.items()) {
    std::vector<std::string> taken;
    for (const Json& one : reading.list(known, table.c_str(), "$.protocol.bulk")) {
      if (one.is_string()) taken.push_back(one.get<std::string>());
    }
    packing_.restrict(table, taken);
  }
}

const Dynamics::View& Dynamics::view_for(const Json& given, const std::string& path,
                                         Reading& reading) {
  const Json& columns = reading.object(given, "columns", path);
  if (columns.empty()) return *views_.front();
  Tables own = with_columns(views_.front()->tables, columns, path + ".columns", reading);
  views_.push_back(std::make_unique<View>(std::move(own), environment_));
  return *views_.back();
}

Call Dynamics::encode(const Batch& batch, const Record& record) const {
  const auto& [subscription, view] = entries_.at(record.subscription);
  const std::string_view event_id = batch.text(record.event_id);
  if (event_id.empty()) {
    throw CallFault{"E514", "the event has no identity to make ids from", "mapping: set event_id"};
  }
  const Particulars particulars(batch.text(record.headers));
  const auto id_of = [&, &id = subscription.id](std::string_view path) {
    return row_id(destination_, id, event_id, path);
  };
  const Order order{
      api_,        view->tables, view->references, subscription, batch.text(record.body),
      particulars, id_of};
  Call call = encode_action(order);
  const bool creates = subscription.action == Action::create;
  finish(call, record.subscription, request_id(creates ? call.record_id : id_of("$")));
  refuse_too_many(call.operations);
  for (auto next = successor(call); next; next = successor(*next->call)) {
    refuse_too_many(next->call->operations);
  }
  return call;
}

// A call and those that may follow it, told apart in the service's log by nothing: they are one.
void Dynamics::finish(Call& call, std::uint32_t subscription, const std::string& id) const {
  call.subscription = subscription;
  call.replay_safe = true;
  call.request_id = id;
  const bool has_condition = call.request.has_header("If-None-Match");
  std::vector<Header> headers = common_headers(id, !has_condition);
  for (Header& header : call.request.headers) headers.push_back(std::move(header));
  call.request.headers = std::move(headers);
  packing_.prepare(call);
  const auto finished = [&](const std::shared_ptr<const Call>& next) {
    if (!next) return next;
    Call copy = *next;
    finish(copy, subscription, id);
    return std::make_shared<const Call>(std::move(copy));
  };
  Write write = write_of(call);
  if (!write.where_missing && !write.where_there && !write.where_untied) return;
  write.where_missing = finished(write.where_missing);
  write.where_there = finished(write.where_there);
  write.where_untied = finished(write.where_untied);
  const bool is_too_many =
      write.where_untied && write.where_untied->operations > operations_per_day_;
  if (is_too_many) write.where_untied.reset();
  call.notes = std::make_shared<const Write>(std::move(write));
}

// Parts of a change set start together or not at all, so this one never would.
void Dynamics::refuse_too_many(std::uint32_t operations) const {
  if (operations <= operations_per_day_) return;
  throw CallFault{"E523",
                  "the change set has " + std::to_string(operations) + " parts, more than the " +
                      std::to_string(operations_per_day_) + " requests of a day",
                  "author: raise requests_per_day, or nest fewer rows"};
}

Verdict Dynamics::decode(const Call& call, const Response& response, double now_s) const {
  return verdicts_->decode(call, response, now_s);
}

std::optional<Protocol::Successor> Dynamics::successor(const Call& call) const {
  const Write& write = write_of(call);
  if (write.former.contains(call.record_id)) {
    return Successor{"where the row is not there under this id",
                     std::make_shared<const Call>(under_other_id(call, call.record_id))};
  }
  if (write.where_missing) return Successor{"where the row is not there", write.where_missing};
  if (write.where_there) return Successor{"where the row is there by now", write.where_there};
  return std::nullopt;
}

std::optional<Request> Dynamics::question(const Call& call) const {
  return verdicts_->question(call);
}

Verdict Dynamics::decode_answer(const Call& call, const Response& response, double now_s) const {
  return verdicts_->decode_answer(call, response, now_s);
}

}  // namespace fieldpost
