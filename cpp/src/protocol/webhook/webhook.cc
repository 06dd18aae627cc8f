#include "protocol/webhook/webhook.h"

#include <simdjson.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "base/uuid.h"
#include "protocol/reading.h"
#include "protocol/unanswered.h"
#include "protocol/webhook/body.h"
#include "protocol/webhook/signature.h"

namespace fieldpost {

namespace {

constexpr std::size_t kLocation = 300;  // bytes

constexpr const char* kMapping = "mapping: correct the url or the headers of this subscription";

bool is_header_name(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t') || byte >= 0x7f;
  });
}

// Host and framing belong to the transport; two of them in one request would split it.
bool is_framing(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "TE", "Trailer"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view one) { return same_name(one, name); });
}

void replace(std::vector<Header>& headers, std::string_view name) {
  std::erase_if(headers, [&](const Header& header) { return same_name(header.name, name); });
}

[[noreturn]] void refuse_header(const char* what) { throw CallFault{"E512", what, kMapping}; }

void merge_header(std::string_view name, simdjson::ondemand::value value,
                  std::vector<Header>& headers) {
  using simdjson::ondemand::json_type;
  if (!is_header_name(name)) refuse_header("a header has a name that HTTP does not allow");
  if (is_framing(name)) refuse_header("a header belongs to the transport");
  replace(headers, name);
  const json_type type = value.type();
  if (type == json_type::null) return;
  if (type == json_type::array || type == json_type::object) {
    refuse_header("the value of a header is a list or an object");
  }
  std::string_view text =
      type == json_type::string ? std::string_view(value.get_string()) : value.raw_json_token();
  if (type != json_type::string) text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  if (!is_header_value(text))
    refuse_header("the value of a header holds a control character or is not ASCII");
  headers.push_back({std::string(name), std::string(text)});
}

void merge_headers(std::string_view json, std::vector<Header>& headers) {
  try {
    simdjson::ondemand::parser parser;
    const simdjson::padded_string text(json);
    simdjson::ondemand::document document = parser.iterate(text);
    for (simdjson::ondemand::field field : document.get_object()) {
      const std::string_view name = field.unescaped_key();
      merge_header(name, field.value(), headers);
    }
  } catch (const simdjson::simdjson_error&) {
    refuse_header("the headers are not a JSON object");
  }
}

std::string_view content_type(const Request& request) {
  for (const Header& header : request.headers) {
    if (same_name(header.name, "Content-Type")) return header.value;
  }
  return "";
}

std::string code_of(int status) { return "http_" + std::to_string(status); }

// A gateway speaks for a server that it did not hear from.
bool is_gateway(int status) { return status == 502 || status == 504; }

// A refusal in HTML is of something that stands before the service. Records may bring addresses of
// their own, so one that is not there says nothing of the others.
Verdict::About about(const Response& response) {
  using About = Verdict::About;
  constexpr int kOfRecord[] = {400, 409, 412, 422, 424, 428};
  if (response.status == 403) return About::destination;
  if (response.status == 404 || response.status == 410) return About::address;
  const bool of_record =
      std::find(std::begin(kOfRecord), std::end(kOfRecord), response.status) != std::end(kOfRecord);
  return of_record && !response.is_html() ? About::record : About::host;
}

// nginx ends the handshake well, and then says in a page of its own that a client certificate is
// missing, or not accepted.
bool wants_certificate(const Response& response) {
  if (response.status != 400 || !response.is_html()) return false;
  return response.body.find("<title>400 No required SSL certificate was sent") !=
             std::string::npos ||
         response.body.find("<title>400 The SSL certificate error") != std::string::npos;
}

bool is_refusal(int status) { return status >= 300; }

bool is_redirect(int status) { return status >= 300 && status < 400; }

// "https://host/path" of a Location, without what may be secret in it.
std::string_view shown(std::string_view location) {
  return location.substr(0, location.find_first_of("?#"));
}

// The status, where a redirect leads, and what the destination says.
std::string words_of(const AnswerRules& rules, const Response& response) {
  std::string words = rules.words_of(response);
  if (words.empty()) words = response.excerpt();
  const std::string_view location = is_redirect(response.status) ? response.header("Location") : "";
  if (!words.empty() && location.empty()) return words;
  std::string told = "HTTP " + std::to_string(response.status);
  if (!location.empty()) told += " to " + one_line(shown(location), kLocation);
  return words.empty() ? told : told + ": " + words;
}

Verdict unclear(const char* message, const char* action_needed) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::unconfirmed;
  verdict.code = "E505";
  verdict.message = message;
  verdict.action_needed = action_needed;
  return verdict;
}

std::string action_for(int status) {
  if (is_redirect(status)) {
    return "operator: a redirect is not followed; put the address it names into url";
  }
  if (status == 403) return "operator: give the account that signs in the right to do this";
  if (status == 404) return "operator: check the url; the destination does not know it";
  if (status == 405) return "operator: check method; the destination refuses this one";
  if (status == 410) return "operator: check the url; what was there is gone for good";
  if (status == 413) return "mapping: make the body smaller";
  if (status == 451) return "operator: the destination may not take this for legal reasons; ask it";
  if (status >= 500) return "operator: ask the destination; it says that it cannot do this at all";
  return "mapping: compare the body with what the destination expects";
}

}  // namespace

Webhook::Webhook(const Json& document, const CompileRule& compile) {
  Reading reading;
  const std::string policy = reading.text(document, "on_unconfirmed", "$.protocol", false);
  if (!policy.empty() && policy != "hold" && policy != "resend") {
    reading.mistake("E613", "must be hold or resend", "$.protocol.on_unconfirmed");
  }
  resend_ = policy == "resend";
  destination_ = reading.text(document, "destination", "$.protocol", false);
  key_header_ = reading.text(document, "idempotency_key", "$.protocol", false);
  address_.allow_http = reading.flag(document, "allow_http", "$.protocol");
  address_.any_host = !document.contains("hosts");
  for (const Json& host : reading.list(document, "hosts", "$.protocol")) {
    if (host.is_string()) {
      address_.hosts.push_back(host.get<std::string>());
    } else {
      reading.mistake("E613", "must be a list of texts", "$.protocol.hosts");
    }
  }
  if (document.contains("retry_statuses")) retry_statuses_.clear();
  for (const Json& status : reading.list(document, "retry_statuses", "$.protocol")) {
    if (status.is_number_integer()) {
      retry_statuses_.insert(status.get<int>());
    } else {
      reading.mistake("E613", "must be a list of whole numbers", "$.protocol.retry_statuses");
    }
  }
  for (const Json& given : reading.list(document, "subscriptions", "$.protocol")) {
    read_subscription(given, compile, reading);
  }
  reading.finish();
}

void Webhook::read_subscription(const Json& given, const CompileRule& compile, Reading& reading) {
  const std::string path =
      "$.protocol.subscriptions[" + std::to_string(subscriptions_.size()) + "]";
  Subscription& subscription = subscriptions_.emplace_back();
  subscription.id = reading.text(given, "id", path);
  subscription.method = reading.text(given, "method", path);
  subscription.url = reading.text(given, "url", path, false);
  subscription.batching = read_batching(given, path, reading);
  subscription.batches = given.contains("batch");
  subscription.answers = AnswerRules(given, path, compile, reading);
  most_together_ = std::max(most_together_, subscription.batching.max_records);
  for (const auto& [name, value] : reading.object(given, "headers", path).items()) {
    if (is_header_name(name) && value.is_string() &&
        is_header_value(value.get_ref<const std::string&>())) {
      subscription.headers.push_back({name, value.get<std::string>()});
    } else {
      reading.mistake("E613", "must be a header name with a text",
                      std::string(path).append(".headers.").append(name));
    }
  }
}

std::vector<std::string> Webhook::addresses() const {
  std::vector<std::string> all;
  for (const Subscription& one : subscriptions_) {
    if (one.url.empty()) return {};
    all.push_back(one.url);
  }
  return all;
}

Call Webhook::encode(const Batch& batch, const Record& record) const {
  const Subscription& subscription = subscriptions_.at(record.subscription);
  Call call;
  call.subscription = record.subscription;
  call.event_id = batch.text(record.event_id);
  Request& request = call.request;
  request.method = subscription.method;
  request.url = record.url.size ? std::string(batch.text(record.url)) : subscription.url;
  // A static one was checked, and perhaps allowed, where the destination was read.
  if (record.url.size) check_address(request.url, address_);
  request.headers = subscription.headers;
  if (record.headers.size) merge_headers(batch.text(record.headers), request.headers);
  if (record.body.size > 0) put_body(batch.text(record.body), call);
  if (!key_header_.empty()) {
    if (!request.has_header(key_header_)) {
      request.headers.push_back({key_header_, message_id(call)});
    }
    call.replay_safe = true;
  }
  return call;
}

void Webhook::put_body(std::string_view json, Call& call) const {
  Request& request = call.request;
  request.has_body = true;
  const std::string_view type = content_type(request);
  if (type.empty()) {
    replace(request.headers, "Content-Type");
    request.headers.push_back({"Content-Type", "application/json"});
    request.kept_body = json;
    return;
  }
  request.body = body_for(type, json);
  if (request.body != json) call.mapped_body = json;
}

std::string Webhook::message_id(const Call& call) const {
  if (!call.message_id.empty()) return call.message_id;
  return message_id(subscriptions_.at(call.subscription).id, call.event_id);
}

// The lengths keep two different triples from being one text.
std::string Webhook::message_id(std::string_view subscription, std::string_view event_id) const {
  std::string name = "message";
  for (const std::string_view part : {std::string_view(destination_), subscription, event_id}) {
    name.append(std::to_string(part.size())).append(":").append(part);
  }
  return uuid5(kFieldpostNamespace, name);
}

std::vector<Header> Webhook::signatures(const Call& call, const SigningKeys& keys,
                                        std::int64_t unix_s) const {
  std::vector<Header> headers;
  const Request& request = call.request;
  if (!keys.standard_webhooks.empty()) {
    const std::string id = message_id(call);
    headers.push_back({"webhook-id", id});
    headers.push_back({"webhook-timestamp", std::to_string(unix_s)});
    headers.push_back(
        {"webhook-signature",
         standard_webhooks_signature(keys.standard_webhooks, id, unix_s, request.body_text())});
  }
  if (!keys.segment.empty() && request.has_body) {
    const std::string_view text =
        call.mapped_body.empty() ? request.body_text() : std::string_view(call.mapped_body);
    headers.push_back({"X-Signature", segment_signature(keys.segment, text)});
  }
  return headers;
}

Verdict Webhook::decode(const Call& call, const Response& response, double now_s) const {
  Verdict whole = decode_whole(call, response, now_s);
  const bool tells = response.status == 207 && whole.kind == Verdict::Kind::delivered;
  if (!tells || rules_of(call).judges()) return whole;
  // The status of a 207 stands in its body.
  Verdict verdict;
  if (const auto answers = record_answers(Batching(), response.body, 1)) {
    verdict = verdict_of(answers->front());
  } else if (tells_of_failure(response.body)) {
    verdict = unclear("the answer tells of a failure", "operator: look what the destination has");
  } else {
    return whole;
  }
  verdict.request_id = std::move(whole.request_id);
  return verdict;
}

const AnswerRules& Webhook::rules_of(const Call& call) const {
  return subscriptions_.at(call.subscription).answers;
}

// Of a call that carries several records, too.
Verdict Webhook::decode_whole(const Call& call, const Response& response, double now_s) const {
  if (response.fault != Fault::none) return unanswered(call, response, sends_again(call));
  const AnswerRules& rules = rules_of(call);
  const bool is_positive = response.status >= 200 && response.status < 300;
  const bool is_met = response.status != 401 && rules.judges() && rules.met_by(response);
  Verdict verdict = is_positive || is_met ? decode_success(rules, response)
                                          : decode_refusal(call, response, now_s);
  verdict.request_id = response.header("x-request-id");
  return verdict;
}

Verdict Webhook::decode_success(const AnswerRules& rules, const Response& response) const {
  Verdict verdict;
  verdict.kind = Verdict::Kind::delivered;
  verdict.effect = "accepted";
  if (!rules.judges()) return verdict;
  if (response.unreadable) {
    return unclear("the answer's body cannot be read", "operator: look what the destination has");
  }
  if (rules.met_by(response)) return verdict;
  verdict.kind = Verdict::Kind::rejected;
  verdict.effect.clear();
  verdict.code = "E507";
  verdict.message = words_of(rules, response);
  verdict.action_needed = "mapping: compare the body with what the destination expects";
  return verdict;
}

Verdict Webhook::decode_refusal(const Call& call, const Response& response, double now_s) const {
  const int status = response.status;
  Verdict verdict;
  verdict.code = code_of(status);
  verdict.message = words_of(rules_of(call), response);
  if (wants_certificate(response)) {
    verdict.kind = Verdict::Kind::pause;
    verdict.code = "E502";
    verdict.reason = "it wants a client certificate that it accepts";
    verdict.message = std::string(call.request.host()) + ": " + verdict.reason;
    verdict.action_needed =
        "author of the file: give the client certificate that the destination wants as client_cert "
        "and client_key";
  } else if (status == 401) {
    verdict.kind = Verdict::Kind::sign_in;
  } else if (retry_statuses_.contains(status)) {
    verdict.kind = Verdict::Kind::again;
    verdict.wait_s = response.retry_after_s(now_s);
  } else if (is_gateway(status) && !sends_again(call)) {
    verdict.kind = Verdict::Kind::unconfirmed;
    verdict.action_needed =
        "operator: a gateway answered; look whether the destination has it, then replay or settle";
  } else {
    verdict.kind = Verdict::Kind::rejected;
    verdict.about = about(response);
    verdict.action_needed = action_for(status);
  }
  return verdict;
}

std::optional<Protocol::Together> Webhook::together(const Call& call) const {
  const Subscription& subscription = subscriptions_.at(call.subscription);
  const Request& request = call.request;
  if (!subscription.batches || !request.has_body || !is_json_type(content_type(request))) {
    return std::nullopt;
  }
  Together together{std::to_string(call.subscription),
                    subscription.batching.max_records,
                    subscription.batching.max_bytes,
                    {}};
  together.key.append("\n").append(request.method).append("\n").append(request.url);
  for (const Header& header : request.headers) {
    together.key.append("\n").append(header.name).append(":").append(header.value);
  }
  return together;
}

Call Webhook::combine(const std::vector<const Call*>& calls) const {
  const Call& first = *calls.front();
  const Batching& batching = subscriptions_.at(first.subscription).batching;
  Call combined;
  combined.subscription = first.subscription;
  combined.request = {first.request.method, first.request.url, first.request.headers, "", true};
  std::vector<std::string_view> bodies;
  std::string ids;
  for (const Call* call : calls) {
    bodies.push_back(call->request.body_text());
    ids += message_id(*call);
  }
  combined.request.body = joined(batching, bodies);
  combined.message_id = uuid5(kFieldpostNamespace, ids);
  return combined;
}

std::vector<Verdict> Webhook::decode_each(const Call& combined,
                                          const std::vector<const Call*>& calls,
                                          const Response& response, double now_s) const {
  const std::size_t count = calls.size();
  const Batching& batching = subscriptions_.at(combined.subscription).batching;
  Verdict whole = decode_whole(combined, response, now_s);
  const bool taken = whole.kind == Verdict::Kind::delivered;
  const bool tells = taken && (response.status == 207 || batching.always);
  if (!tells) {
    // One record may have had the others refused with it.
    constexpr int kOfOne[] = {400, 409, 413, 422};
    whole.alone = whole.kind == Verdict::Kind::rejected &&
                  (!is_refusal(response.status) || std::find(std::begin(kOfOne), std::end(kOfOne),
                                                             response.status) != std::end(kOfOne));
    return std::vector<Verdict>(count, whole);
  }
  const auto answers = record_answers(batching, response.body, count);
  if (!answers) {
    Verdict verdict = unclear("the answer does not tell of each record",
                              "operator: look which ones it has, and correct batch.verdicts");
    verdict.request_id = whole.request_id;
    return std::vector<Verdict>(count, verdict);
  }
  std::vector<Verdict> verdicts;
  for (const RecordAnswer& answer : *answers) {
    verdicts.push_back(verdict_of(answer));
    verdicts.back().request_id = whole.request_id;
  }
  return verdicts;
}

Verdict Webhook::verdict_of(const RecordAnswer& answer) const {
  Verdict verdict;
  verdict.http_status = answer.status;
  if (answer.status >= 200 && answer.status < 300) {
    verdict.kind = Verdict::Kind::delivered;
    verdict.effect = "accepted";
    return verdict;
  }
  verdict.kind =
      retry_statuses_.contains(answer.status) ? Verdict::Kind::again : Verdict::Kind::rejected;
  verdict.code = code_of(answer.status);
  verdict.message =
      answer.message.empty() ? "status " + std::to_string(answer.status) : answer.message;
  if (verdict.kind == Verdict::Kind::rejected) verdict.action_needed = action_for(answer.status);
  return verdict;
}

Verdict Webhook::decode_answer(const Call&, const Response&, double) const {
  throw std::logic_error("the webhook protocol asks no question");
}

}  // namespace fieldpost
