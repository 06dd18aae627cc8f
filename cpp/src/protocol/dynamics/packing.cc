#include "protocol/dynamics/packing.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "base/text.h"
#include "base/uuid.h"
#include "protocol/dynamics/batch_codec.h"
#include "protocol/dynamics/existence.h"
#include "protocol/dynamics/faults.h"
#include "protocol/dynamics/multipart.h"
#include "protocol/dynamics/verdicts.h"
#include "protocol/dynamics/write.h"
#include "protocol/unanswered.h"

namespace fieldpost {

namespace {

using Kind = Verdict::Kind;

constexpr std::size_t kIdsAsked = 500;  // about 20 KB of address
constexpr int kRefusalsEnough = 8;
constexpr double kLongestAim_s = 10;
constexpr double kSlow_s = 30;
constexpr std::size_t kLeastBytes = std::size_t{64} << 10;

constexpr std::string_view kRequests = "0x80072322";
constexpr std::string_view kTime = "0x80072321";
constexpr const char* kTooSlow[] = {"0x80081111", "0x80044171", "0x80044172", "0x80044173",
                                    "0x80044151"};

bool is_success(int status) { return status >= 200 && status < 300; }

bool is_multipart(const Response& response) {
  return !boundary_of(response.header("Content-Type")).empty();
}

int dop_hint(const Response& response) {
  const std::string_view text = response.header("x-ms-dop-hint");
  int hint = 0;
  std::from_chars(text.data(), text.data() + text.size(), hint);
  return hint;
}

// The first number in quotes: "A maximum number of '250' query operations ...", in any language.
std::size_t quoted_number(std::string_view text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string_view::npos; ++at) {
    std::size_t number = 0;
    const char* begin = text.data() + at + 1;
    const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
    if (error == std::errc() && end != text.data() + text.size() && *end == '\'') return number;
  }
  return 0;
}

// A success that names another row is no answer to this call.
bool is_of_another(const Call& call, const Response& answer) {
  std::string_view address = answer.header("OData-EntityId");
  if (call.record_id.empty() || !is_success(answer.status) || !address.ends_with(')')) return false;
  address.remove_suffix(1);
  const std::string_view id = address.substr(address.rfind('(') + 1);
  return is_uuid(id) && !same_name(id, call.record_id);
}

Response no_answer(const char* why) {
  Response response;
  response.fault = Fault::lost;
  response.fault_text = why;
  return response;
}

Verdict unheard(const Protocol& protocol, const Call& call, double now_s) {
  Verdict verdict = protocol.decode(call, no_answer("the batch does not tell of it"), now_s);
  verdict.unheard = true;
  return verdict;
}

Verdict decode_one(const Protocol& protocol, const Call& call, const Response& response,
                   double now_s) {
  Verdict verdict = call.asks ? protocol.decode_answer(call, response, now_s)
                              : protocol.decode(call, response, now_s);
  verdict.http_status = response.status;
  return verdict;
}

// The verdict on a part of a batch that was answered as a whole, or not at all.
Verdict of_envelope(const Protocol& protocol, const Call& call, const Response& response,
                    double now_s) {
  const bool from_service = !response.header("OData-Version").empty();
  const bool unreadable = is_success(response.status) && from_service;
  const bool half_done = response.status >= 500 && !call.replay_safe && !call.asks;
  if (unreadable || half_done) return unheard(protocol, call, now_s);
  Verdict verdict = decode_one(protocol, call, response, now_s);
  if (response.fault != Fault::none) return verdict;
  const bool of_this_row = verdict.kind == Kind::rejected || verdict.kind == Kind::verify ||
                           verdict.kind == Kind::go_on || verdict.kind == Kind::delivered ||
                           verdict.kind == Kind::pause_subscription ||
                           (verdict.kind == Kind::unconfirmed && call.asks);
  if (of_this_row || verdict.give_up_after > 0) {
    if (of_this_row) verdict.kind = Kind::rejected;  // nothing ran: fewer parts may do
    verdict.alone = true;
    verdict.give_up_after = 0;
    verdict.question.reset();
    verdict.next.reset();
  }
  return verdict;
}

// What the answer to a list proves where it does not tell which rows are there: ask for fewer.
Verdict of_list(const Protocol& protocol, const Call& call, const Response& response,
                double now_s) {
  Verdict verdict = decode_one(protocol, call, response, now_s);
  const bool is_of_table = verdict.kind == Kind::unconfirmed && response.status == 403;
  const bool of_one_row = verdict.kind == Kind::delivered || verdict.kind == Kind::rejected ||
                          verdict.kind == Kind::unconfirmed;
  if (response.fault == Fault::none && of_one_row && !is_of_table) {
    verdict.kind = Kind::rejected;
    verdict.alone = true;
  }
  return verdict;
}

Response found_or_not(bool found) {
  Response response;
  response.status = found ? 200 : 404;
  response.headers = {{"OData-Version", "4.0"}, {"Content-Type", "application/json"}};
  response.body = found ? "{}" : R"({"error":{"code":"0x80040217","message":""}})";
  return response;
}

}  // namespace

Packing::Packing(Mode mode, std::string api, const std::vector<BulkTable>& tables)
    : mode_(mode), api_(std::move(api)), tables_(tables) {
  for (std::size_t i = 0; i < tables_.size(); ++i) by_set_.emplace(tables_[i].set, i);
}

void Packing::restrict(std::string_view table, const std::vector<std::string>& taken) {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    if (tables_[i].name != table) continue;
    for (const Form form : {Form::create, Form::upsert, Form::update}) {
      const char* name = name_of(message_of(form));
      if (std::find(taken.begin(), taken.end(), name) == taken.end()) lacking_.insert({form, i});
    }
  }
}

std::vector<Protocol::Lack> Packing::lacks() const {
  std::vector<Protocol::Lack> all;
  for (const auto& [form, table] : refused_) {
    all.push_back({tables_[table].name, name_of(message_of(form))});
  }
  return all;
}

std::optional<Packing::Mode> Packing::mode_named(std::string_view name) {
  if (name.empty() || name == "off") return Mode::off;
  if (name == "batch") return Mode::batch;
  if (name == "bulk") return Mode::bulk;
  if (name == "auto") return Mode::automatic;
  return std::nullopt;
}

std::optional<std::size_t> Packing::table_at(std::string_view url) const {
  const auto found = by_set_.find(set_of(api_, url));
  if (found == by_set_.end()) return std::nullopt;
  return found->second;
}

// A call keeps its shape as one number: the low digit is the form, the rest the table.
std::uint32_t Packing::noted(const Shape& shape) {
  return static_cast<std::uint32_t>(shape.form) + static_cast<std::uint32_t>(10 * shape.table);
}

Packing::Shape Packing::shape_in(const Call& call) {
  return {static_cast<Form>(call.form % 10), call.form / 10};
}

void Packing::prepare(Call& call) const {
  call.operations = operations_of(call);
  if (mode_ == Mode::off) return;
  call.form = noted({});
  if (!fits_batch(call)) return;  // plain: a bulk message is no place for references either
  Shape shape{Form::batch, 0};
  const auto table = mode_ == Mode::batch ? std::nullopt : table_at(call.request.url);
  if (table) {
    const BulkMessage message = bulk_message(call, tables_[*table]);
    if (message != BulkMessage::none) shape = {form_of(message), *table};
  }
  call.form = noted(shape);
}

Packing::Form Packing::form_of(BulkMessage message) {
  if (message == BulkMessage::create) return Form::create;
  return message == BulkMessage::upsert ? Form::upsert : Form::update;
}

BulkMessage Packing::message_of(Form form) {
  if (form == Form::create) return BulkMessage::create;
  return form == Form::upsert ? BulkMessage::upsert : BulkMessage::update;
}

Packing::Shape Packing::shape_of(const Call& call) const {
  if (mode_ == Mode::off) return {};
  if (call.asks) {
    const std::string_view url = call.request.url;
    const auto table = table_at(url);
    if (table && !id_asked(url).empty()) return {Form::existence, *table};
    return {Form::batch, 0};
  }
  const Shape shape = shape_in(call);
  const bool is_bulk = shape.form >= Form::create;
  if (is_bulk && lacking_.contains({shape.form, shape.table})) return {Form::batch, 0};
  return shape;
}

std::string Packing::key_of(const Shape& shape, const Call& call) const {
  const std::string form = std::to_string(static_cast<int>(shape.form));
  if (shape.form == Form::batch) return form + "|" + shared_headers(call);
  return form + "|" + tables_[shape.table].set + "|" + bulk_headers(call);
}

std::optional<Protocol::Together> Packing::together(const Call& call) const {
  const Shape shape = shape_of(call);
  if (shape.form == Form::plain) return std::nullopt;
  Protocol::Together together;
  together.key = key_of(shape, call);
  together.bytes = bytes_;
  if (shape.form == Form::existence) {
    together.records = kIdsAsked;
    return together;
  }
  const auto size = sizes_.find({shape.form, shape.table});
  together.records = size == sizes_.end() ? PackSize().records() : size->second.records();
  if (shape.form == Form::batch) {
    together.records = std::min(together.records, batch_parts_);
  } else {
    together.row = ascii_lower(call.record_id.empty() ? call.request.url : call.record_id);
  }
  return together;
}

std::size_t Packing::most_together() const {
  if (mode_ == Mode::off) return 1;
  std::size_t most = PackSize().records();
  for (const auto& [form, size] : sizes_) most = std::max(most, size.records());
  return most;
}

Call Packing::combine(const std::vector<const Call*>& calls) const {
  if (calls.size() == 1) return *calls.front();
  const Shape shape = shape_of(*calls.front());
  if (shape.form == Form::existence) return asking(calls, shape);
  Call call;
  call.form = noted(shape);
  call.subscription = calls.front()->subscription;
  call.replay_safe =
      std::all_of(calls.begin(), calls.end(), [](const Call* one) { return one->replay_safe; });
  call.operations = 0;
  for (const Call* one : calls) call.operations += one->operations;
  if (shape.form == Form::batch) {
    call.request = write_batch(api_, calls);
  } else {
    call.request = write_bulk(api_, message_of(shape.form), tables_[shape.table], calls);
  }
  for (const Header& header : call.request.headers) {
    if (header.name == "x-ms-client-request-id") call.request_id = header.value;
  }
  return call;
}

Call Packing::asking(const std::vector<const Call*>& calls, const Shape& shape) const {
  std::vector<std::string_view> ids;
  for (const Call* one : calls) ids.push_back(id_asked(one->request.url));
  Call call = *calls.front();
  call.request.url = existence_url(api_, tables_[shape.table], ids);
  call.form = noted(shape);
  return call;
}

std::vector<Verdict> Packing::decode_each(const Protocol& protocol, const Call& combined,
                                          const std::vector<const Call*>& calls,
                                          const Response& response, double now_s) const {
  if (calls.size() == 1) return {decode_one(protocol, *calls.front(), response, now_s)};
  const Shape shape = shape_in(combined);  // as it was sent, whatever has been learned since
  if (shape.form == Form::batch) return decode_batch(protocol, calls, response, now_s);
  if (shape.form == Form::existence) {
    const BulkTable& table = tables_[shape.table];
    const auto found = is_success(response.status) ? ids_found(table, response) : std::nullopt;
    std::vector<Verdict> verdicts;
    for (const Call* call : calls) {
      const std::string id = ascii_lower(id_asked(call->request.url));
      verdicts.push_back(found
                             ? decode_one(protocol, *call, found_or_not(found->contains(id)), now_s)
                             : of_list(protocol, *call, response, now_s));
    }
    return verdicts;
  }
  return decode_bulk(protocol, message_of(shape.form), calls, response, now_s);
}

std::vector<Verdict> Packing::decode_batch(const Protocol& protocol,
                                           const std::vector<const Call*>& calls,
                                           const Response& response, double now_s) const {
  std::vector<Verdict> verdicts;
  verdicts.reserve(calls.size());
  if (response.fault != Fault::none || !is_multipart(response)) {
    // Read once for all that it can mean the same for: the whole was refused, not a row.
    const ServiceError error = read_service_error(response);
    std::map<std::tuple<bool, bool, bool>, Verdict> known;
    for (const Call* call : calls) {
      if (dynamics::write_of(*call).closing) {
        verdicts.push_back(of_envelope(protocol, *call, response, now_s));
        continue;
      }
      const bool in_doubt = dynamics::leaves_in_doubt(*call, response, error);
      const auto [at, is_new] = known.try_emplace({call->asks, call->replay_safe, in_doubt});
      if (is_new) at->second = of_envelope(protocol, *call, response, now_s);
      verdicts.emplace_back(at->second).record_id = call->record_id;
    }
    return verdicts;
  }
  const std::vector<std::optional<Response>> answers = read_batch(calls, response);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::optional<Response>& answer = answers[i];
    if (!answer || is_of_another(*calls[i], *answer)) {
      verdicts.push_back(unheard(protocol, *calls[i], now_s));
      continue;
    }
    Verdict& verdict = verdicts.emplace_back(decode_one(protocol, *calls[i], *answer, now_s));
    if (response.status >= 400 && !is_success(answer->status) && verdict.kind == Kind::rejected) {
      verdict.alone = true;  // of the whole batch, or of the part that ended it
    }
  }
  return verdicts;
}

Protocol::Lesson Packing::learn(const Call& combined, std::size_t count, const Response& response) {
  Protocol::Lesson lesson;
  if (mode_ == Mode::off) return lesson;
  lesson.in_flight_hint = dop_hint(response);
  const Shape shape = shape_in(combined);
  const bool tells = shape.form != Form::existence && shape.form != Form::plain && !combined.asks;
  if (!tells) return lesson;
  PackSize& size = sizes_.try_emplace({shape.form, shape.table}).first->second;
  if (response.fault != Fault::none) {
    if (count > 1 && response.elapsed_s > kSlow_s) size.too_slow(count);
  } else if (is_success(response.status)) {
    size.answered(count, response.elapsed_s, aim_s_);
    if (count > 1) proven_.insert({shape.form, shape.table});
  } else {
    learn_refusal(shape, size, count, response, lesson);
  }
  return lesson;
}

void Packing::learn_refusal(const Shape& shape, PackSize& size, std::size_t count,
                            const Response& response, Protocol::Lesson& lesson) {
  const ServiceError error = read_service_error(response);
  if (response.status == 429) {
    lesson.over_time = error.code == kTime;
    if (error.code == kTime) size.scale(0.7);
    if (error.code == kRequests) {
      aim_s_ = std::min(aim_s_ * 1.5, kLongestAim_s);
      size.scale(1.5);
    }
    return;
  }
  if (count < 2) return;
  const bool slow =
      std::find(std::begin(kTooSlow), std::end(kTooSlow), error.code) != std::end(kTooSlow) ||
      response.status == 504;
  if (slow) size.too_slow(count);
  if (response.status == 413) bytes_ = std::max(kLeastBytes, bytes_ / 2);
  if (shape.form == Form::batch) {
    const bool too_many = response.status == 400 && error.code.empty() && !is_multipart(response);
    if (!too_many) return;
    const std::size_t told = quoted_number(error.message);
    batch_parts_ = std::min(batch_parts_, told > 0 && told < count ? told : count / 2);
    batch_parts_ = std::max<std::size_t>(1, batch_parts_);
    return;
  }
  const auto which = std::make_pair(shape.form, shape.table);
  if (lacks_message(response, error)) {
    lacking_.insert(which);
    refused_.insert(which);
  }
  if (response.status >= 500 || response.status == 401 || proven_.contains(which)) return;
  if (++refusals_[which] >= kRefusalsEnough) lacking_.insert(which);
}

}  // namespace fieldpost
