#include "protocol/dynamics/verdicts.h"

#include <simdjson.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "protocol/dynamics/faults.h"
#include "protocol/dynamics/members.h"
#include "protocol/dynamics/names.h"
#include "protocol/dynamics/reference.h"
#include "protocol/dynamics/write.h"
#include "protocol/unanswered.h"

namespace fieldpost::dynamics {

namespace {

using Kind = Verdict::Kind;

constexpr const char* kNoSuchRow = "0x80040217";
constexpr const char* kNoSuchKey = "0x80060891";
constexpr const char* kInvalidArgument = "0x80040203";
constexpr const char* kTaken = "0x80040237";
constexpr const char* kKeyTaken = "0x80060892";
constexpr const char* kMayNotAct = "0x8004a110";
constexpr const char* kNoOwner = "0x80040229";
constexpr const char* kNoCurrency = "0x80048cfc";
constexpr const char* kTheirPrivilege =
    "administrator: give the user that impersonate names the missing privilege, then replay";

bool is_success(int status) { return status >= 200 && status < 300; }

// A proxy's sign-in page comes with 200 as well; the service itself always tells its version.
bool is_from_service(const Response& response) {
  return response.status == 201 || response.status == 204 ||
         !response.header("OData-Version").empty();
}

Verdict web_page() {
  Verdict verdict;
  verdict.kind = Kind::pause;
  verdict.code = "E505";
  verdict.message = "something other than Dynamics 365 answered, perhaps a sign-in page";
  verdict.action_needed = "operator: check url, and the proxy between here and Dynamics 365";
  return verdict;
}

Verdict unreadable() {
  Verdict verdict;
  verdict.kind = Kind::again;
  verdict.code = "E505";
  verdict.message = "the answer does not tell of every part of the change set";
  verdict.action_needed = "operator: check the proxy between here and Dynamics 365";
  return verdict;
}

std::string service_request_id(const Response& response) {
  const std::string_view id = response.header("x-ms-service-request-id");
  return std::string(id.empty() ? response.header("REQ_ID") : id);
}

const char* effect_of(Action action, int status) {
  switch (action) {
    case Action::create:
      return "created";
    case Action::upsert:
      return status == 201 ? "created" : status == 200 ? "updated" : "accepted";
    case Action::remove:
      return "deleted";
    default:
      return "updated";
  }
}

Verdict delivered(std::string effect) {
  Verdict verdict;
  verdict.kind = Kind::delivered;
  verdict.effect = std::move(effect);
  return verdict;
}

Verdict go_on(std::shared_ptr<const Call> next) {
  Verdict verdict;
  verdict.kind = Kind::go_on;
  verdict.next = std::move(next);
  return verdict;
}

// The id in a row that an answer shows.
std::string id_in(const Response& response, const std::string& key_column) {
  if (response.body.empty() || key_column.empty()) return "";
  try {
    JsonBody body(response.body);
    for (const Member& member : body.members(body.whole())) {
      if (member.name == key_column && member.value.kind == JsonKind::text) {
        return member.value.text();
      }
    }
  } catch (const CallFault&) {
    return "";  // no JSON: the row is written all the same
  }
  return "";
}

std::shared_ptr<const Call> once_more(const Call& call) {
  Call again = call;
  Write write = write_of(call);
  write.once_more = true;
  again.notes = std::make_shared<const Write>(std::move(write));
  return std::make_shared<const Call>(std::move(again));
}

bool is_missing(const Response& response, const ServiceError& error) {
  return response.status == 404 && (error.code == kNoSuchRow || error.code == kNoSuchKey);
}

// The service words what it does not find: this came from elsewhere, or was cut short.
bool is_wordless(const Response& response, const ServiceError& error) {
  return response.status == 404 && error.code.empty();
}

// A bind to a row that the change set itself writes was not found.
bool is_untied(const Response& response, const ServiceError& error) {
  return is_missing(response, error) || (response.status == 400 && error.code == kInvalidArgument);
}

// Said of the application's own user as of one that it acts for.
bool may_be_of_person(std::string_view code) {
  constexpr std::string_view kCodes[] = {kMayNotAct,   "0x8004ed43", "0x80072560",
                                         "0x80040225", "0x80042f09", "0x8004d24b"};
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
}

// Where the file says the same for every event, it is a mistake of the file.
bool is_of_this_event(const Write& write, std::string_view code) {
  if (code == kLacksPrivilege) return write.person.has_value();
  if (code == kNoOwner) return write.owner_by_event;
  return code == kNoCurrency && write.currency_by_event;
}

enum class Person : std::uint8_t { unknown, disabled, enabled };

// Nothing where the answer does not tell.
std::optional<Person> person_in(const Response& response) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  simdjson::dom::array rows;
  if (parser.parse(simdjson::padded_string(response.body)).get(root) != simdjson::SUCCESS ||
      root["value"].get(rows) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (rows.size() == 0) return Person::unknown;
  bool is_disabled = false;
  const bool told = rows.at(0)["isdisabled"].get(is_disabled) == simdjson::SUCCESS;
  return told && is_disabled ? Person::disabled : Person::enabled;
}

// The names of a closing message are those of the activity in it: its set, and its JSON.
std::tuple<std::string, std::string> closing_activity(const std::string& text,
                                                      const Tables& tables) {
  const auto table = tables.find("opportunityclose");
  JsonBody body(text);
  for (const Member& member : body.members(body.whole())) {
    if (member.name != "OpportunityClose" || table == tables.end()) continue;
    return {table->second.set, std::string(member.value.json)};
  }
  return {};
}

std::string marker_question(const Write& write) {
  const std::string select = "$select=" + write.marker_key;
  if (write.marker_partition.empty()) return write.marker + "?" + select;
  return write.marker + "?partitionId=" + encoded(write.marker_partition) + "&" + select;
}

// The service carried it out before, perhaps, or will not; its state tells.
bool is_refused_close(const Verdict& verdict) {
  const bool is_of_row = verdict.kind == Kind::rejected || verdict.kind == Kind::verify;
  return is_of_row && verdict.about == Verdict::About::record;
}

// The row is gone, or the key names none.
std::optional<Verdict> missing(const Write& write) {
  if (write.action == Action::remove || write.action == Action::disassociate) {
    return delivered("unchanged");
  }
  if (write.where_missing) return go_on(write.where_missing);
  const bool updates = write.action == Action::update || write.action == Action::upsert;
  if (!updates || write.binds) return std::nullopt;
  Verdict verdict;
  verdict.action_needed =
      "record: there is no such row to update; create it first, or use the action upsert "
      "without if_match, then replay";
  return verdict;
}

std::optional<Verdict> conflict(const Call& call, const ServiceError& error, bool is_root) {
  const Write& write = write_of(call);
  if (error.code != kTaken && error.code != kKeyTaken) return std::nullopt;
  if (write.action == Action::associate) {
    if (error.code == kTaken) return delivered("unchanged");
    return std::nullopt;
  }
  if (!is_root) return std::nullopt;
  if (write.where_there && (error.code == kTaken || write.by_columns)) {
    return go_on(write.where_there);
  }
  if (write.action == Action::upsert && !write.once_more) return go_on(once_more(call));
  return std::nullopt;
}

}  // namespace

std::vector<Header> common_headers(const std::string& request_id, bool reads) {
  std::vector<Header> headers = {
      {"Accept", "application/json"}, {"OData-MaxVersion", "4.0"}, {"OData-Version", "4.0"}};
  if (reads) headers.push_back({"If-None-Match", "null"});
  headers.push_back({"x-ms-client-request-id", request_id});
  return headers;
}

bool leaves_in_doubt(const Call& call, const Response& response, const ServiceError& error) {
  const Write& write = write_of(call);
  if (!write.only_once && (!write.closing || write.closes)) return false;
  if (response.status == 500) return error.code.empty();
  return response.status >= 502 && response.status <= 504;
}

Verdict Verdicts::decode(const Call& call, const Response& response, double now_s) const {
  const Write& asked = write_of(call);
  if (response.fault != Fault::none) {
    Verdict verdict = unanswered(call, response, call.replay_safe);
    const bool may_be_done = response.fault == Fault::lost && asked.closing && !asked.closes;
    return may_be_done ? asking_state(call, std::move(verdict), nullptr) : verdict;
  }
  if (asked.closes) return state_told(asked, response, now_s);
  if (asked.refusal && asked.person) return person_told(asked, response, now_s);
  if (asked.refusal) return named(write_of(call), response, now_s);
  const bool is_one = write_of(call).parts.empty();
  Verdict verdict = is_one ? of_one(call, response, now_s) : of_parts(call, response, now_s);
  if (verdict.record_id.empty()) verdict.record_id = call.record_id;
  verdict.request_id = service_request_id(response);
  return verdict;
}

Verdict Verdicts::of_one(const Call& call, const Response& response, double now_s) const {
  if (!is_success(response.status)) return refused(call, 0, response, now_s);
  return is_from_service(response) ? done(call, response) : web_page();
}

Verdict Verdicts::of_parts(const Call& call, const Response& response, double now_s) const {
  const Write& write = write_of(call);
  const std::vector<PartAnswer> answers = change_set_answers(response);
  for (const PartAnswer& one : answers) {
    if (!is_success(one.response.status)) return refused(call, one.part, one.response, now_s);
  }
  if (!is_success(response.status)) return refused(call, 0, response, now_s);
  if (answers.front().part == 0) return web_page();
  if (answers.size() != write.parts.size()) return unreadable();
  const auto root = std::find_if(answers.begin(), answers.end(),
                                 [&](const PartAnswer& one) { return one.part == write.root; });
  return done(call, root == answers.end() ? answers.front().response : root->response);
}

Verdict Verdicts::done(const Call& call, const Response& response) const {
  const Write& write = write_of(call);
  Verdict verdict = delivered(effect_of(write.action, response.status));
  if (call.record_id.empty()) verdict.record_id = id_in(response, write.key_column);
  return verdict;
}

Verdict Verdicts::refused(const Call& call, std::size_t part, const Response& response,
                          double now_s) const {
  const Write& write = write_of(call);
  const ServiceError error = read_service_error(response);
  const bool is_root = write.parts.empty() || part == write.root;
  const bool is_gone = is_root && is_missing(response, error);
  const bool may_be_untied = !is_root || (write.root_ties && !write.where_missing);
  if (write.where_untied && may_be_untied && is_untied(response, error)) {
    return go_on(write.where_untied);
  }
  if (is_missing(response, error)) {
    const std::string missed = missed_id(write.former, error.message);
    if (!missed.empty()) {
      return go_on(std::make_shared<const Call>(under_other_id(call, missed)));
    }
  }
  std::optional<Verdict> known;
  if (is_gone && !write.closing) known = missing(write);
  if (!known) known = conflict(call, error, is_root);
  Verdict verdict = meaning_of(error, response, client_id_, now_s);
  verdict.unheard = leaves_in_doubt(call, response, error);
  if (known && known->kind == Kind::rejected) {
    verdict.kind = Kind::rejected;
    verdict.action_needed = std::move(known->action_needed);
  } else if (known) {
    return *std::move(known);
  } else if (write.person && may_be_of_person(error.code)) {
    verdict.http_status = response.status;
    verdict.request_id = service_request_id(response);
    return go_on(asking_person(call, verdict));
  } else if (is_of_this_event(write, error.code)) {
    verdict.kind = Kind::rejected;
    verdict.action_needed = "record: correct the value in the data, then replay";
    if (write.person && error.code == kLacksPrivilege) verdict.action_needed = kTheirPrivilege;
  } else if (write.closing && is_refused_close(verdict)) {
    verdict.kind = Kind::rejected;
    verdict.http_status = response.status;
    verdict.request_id = service_request_id(response);
    const auto refusal = std::make_shared<const Verdict>(verdict);
    verdict.kind = Kind::go_on;
    return asking_state(call, std::move(verdict), refusal);
  } else if (write.closing && verdict.unheard) {
    return asking_state(call, std::move(verdict), nullptr);
  } else if (verdict.kind == Kind::verify) {
    verdict.question = question_after(call, response);
    if (!verdict.question) verdict.kind = Kind::rejected;
  } else if (error.code == kWrongPayload || error.code == kUnnumbered) {
    verdict.http_status = response.status;  // the answer to the question has its own
    verdict.request_id = service_request_id(response);
    if (auto asks = ask_for_names(call, part, verdict)) return go_on(std::move(asks));
  }
  return verdict;
}

std::shared_ptr<const Call> Verdicts::ask_for_names(const Call& call, std::size_t part,
                                                    const Verdict& refusal) const {
  const Write& write = write_of(call);
  const bool is_part = part > 0 && part <= write.parts.size();
  if (!write.parts.empty() && !is_part) return nullptr;
  std::string path = is_part ? write.parts[part - 1].path : call.request.url.substr(api_.size());
  std::string body = is_part ? write.parts[part - 1].body : call.request.body;
  if (write.closing) std::tie(path, body) = closing_activity(body, tables_);
  const auto refused = std::make_shared<const Verdict>(refusal);
  const std::string question = names_question(path, body, tables_, Unknown::column);
  if (question.empty()) return nullptr;
  const std::string other = names_question(path, body, tables_, Unknown::row);
  return asking(call, question, refused,
                other == question ? nullptr : asking(call, other, refused, nullptr));
}

Verdict Verdicts::asking_state(const Call& call, Verdict verdict,
                               std::shared_ptr<const Verdict> refusal) const {
  const Write& write = write_of(call);
  auto asks = std::make_shared<Call>();
  asks->record_id = call.record_id;
  asks->request_id = call.request_id;
  asks->replay_safe = true;
  asks->subscription = call.subscription;
  asks->request.method = "GET";
  asks->request.url = api_ + write.closing->question();
  asks->request.headers = common_headers(call.request_id);
  auto notes = std::make_shared<Write>();
  notes->action = write.action;
  notes->closing = write.closing;
  notes->closes = std::make_shared<const Call>(call);
  notes->refusal = std::move(refusal);
  asks->notes = std::move(notes);
  verdict.next = std::move(asks);
  return verdict;
}

// After a refusal it was done before; after a lost answer it was done by the call itself, for all
// that can be known.
Verdict Verdicts::state_told(const Write& asked, const Response& response, double now_s) const {
  const ServiceError error = read_service_error(response);
  const std::optional<Closed> state =
      is_success(response.status) ? closed(*asked.closing, response) : std::nullopt;
  Verdict verdict;
  if (state == Closed::so) {
    verdict = delivered(asked.refusal ? "unchanged" : effect_of(asked.action, 0));
  } else if (state == Closed::otherwise) {
    verdict = closed_otherwise(*asked.closing);
  } else if (state == Closed::open || is_missing(response, error)) {
    if (!asked.refusal) return go_on(asked.closes);
    verdict = *asked.refusal;
    if (verdict.code == kWrongPayload || verdict.code == kUnnumbered) {
      if (auto asks = ask_for_names(*asked.closes, 0, verdict)) return go_on(std::move(asks));
    }
  } else if (is_success(response.status)) {
    return is_from_service(response) ? unreadable() : web_page();
  } else {
    verdict = meaning_of(error, response, client_id_, now_s);
    if (is_wordless(response, error)) {
      verdict.kind = Kind::again;
    } else if (verdict.kind == Kind::rejected || response.status == 403) {
      verdict.kind = Kind::unconfirmed;
      verdict.action_needed =
          "administrator: let the application user read this table, then replay";
    }
    if (verdict.kind == Kind::unconfirmed && asked.refusal) verdict = *asked.refusal;
  }
  if (verdict.kind == Kind::delivered) verdict.record_id = asked.closes->record_id;
  return verdict;
}

// As the application itself: where that is refused in the same words, it is to blame.
std::shared_ptr<const Call> Verdicts::asking_person(const Call& call,
                                                    const Verdict& refusal) const {
  const Header& person = *write_of(call).person;
  const bool by_object = person.name == "CallerObjectId";
  const std::string column = by_object ? "azureactivedirectoryobjectid" : "systemuserid";
  auto asks = asking(
      call,
      "systemusers?$select=systemuserid,isdisabled&$filter=" + column + "%20eq%20" + person.value,
      std::make_shared<const Verdict>(refusal), nullptr);
  Write notes = write_of(*asks);
  notes.person = person;
  Call copy = *asks;
  copy.notes = std::make_shared<const Write>(std::move(notes));
  return std::make_shared<const Call>(std::move(copy));
}

Verdict Verdicts::person_told(const Write& asked, const Response& response, double now_s) const {
  Verdict verdict = *asked.refusal;
  verdict.kind = Kind::rejected;
  verdict.action_needed =
      "record: impersonate names no enabled user of the environment; correct "
      "it in the data, then replay";
  if (!is_success(response.status)) {
    Verdict answer = meaning_of(read_service_error(response), response, client_id_, now_s);
    const bool of_all =
        answer.kind == Kind::again || answer.kind == Kind::sign_in || answer.kind == Kind::pause;
    return of_all ? answer : verdict;
  }
  if (person_in(response) != Person::enabled) return verdict;
  verdict.action_needed =
      "administrator: give the user that impersonate names a security role and "
      "a licence, then replay";
  if (verdict.code == kMayNotAct || verdict.code == "0x8004ed43") {
    verdict.kind = Kind::pause_subscription;
    verdict.action_needed = asked.refusal->action_needed;
  }
  return verdict;
}

std::shared_ptr<const Call> Verdicts::asking(const Call& call, const std::string& question,
                                             const std::shared_ptr<const Verdict>& refusal,
                                             std::shared_ptr<const Call> other_reading) const {
  auto asks = std::make_shared<Call>();
  asks->record_id = call.record_id;
  asks->request_id = call.request_id;
  asks->replay_safe = true;
  asks->subscription = call.subscription;
  asks->request.method = "GET";
  asks->request.url = api_ + question;
  asks->request.headers = common_headers(call.request_id);
  auto notes = std::make_shared<Write>();
  notes->action = write_of(call).action;
  notes->refusal = refusal;
  notes->other_reading = std::move(other_reading);
  asks->notes = std::move(notes);
  return asks;
}

// Whether the names of a refused body are there: then it was a value, of this event perhaps alone.
Verdict Verdicts::named(const Write& asked, const Response& response, double now_s) const {
  Verdict verdict = *asked.refusal;
  const ServiceError error = read_service_error(response);
  const bool names_fit = is_success(response.status) || is_missing(response, error);
  if (names_fit) {
    verdict.action_needed = "record: correct the value in the data or in the mapping, then replay";
  } else if (response.status == 400 || response.status == 404) {
    if (asked.other_reading) return go_on(asked.other_reading);
    verdict.kind = Kind::pause_subscription;
  } else {
    Verdict answer = meaning_of(error, response, client_id_, now_s);
    if (answer.kind == Kind::again || answer.kind == Kind::sign_in) return answer;
  }
  return verdict;
}

std::optional<Request> Verdicts::question(const Call& call) const {
  const Write& write = write_of(call);
  if (write.marker.empty() && !write.closing) return std::nullopt;
  Request request;
  request.method = "GET";
  request.url = api_ + (write.closing ? write.closing->question() : marker_question(write));
  request.headers = common_headers(call.request_id);
  return request;
}

// An elastic table shows what was written to whoever brings the token of that writing.
std::optional<Request> Verdicts::question_after(const Call& call, const Response& response) const {
  std::optional<Request> asks = question(call);
  const std::string_view token = response.header("x-ms-session-token");
  if (asks && !token.empty()) {
    asks->headers.push_back({"MSCRM.SessionToken", std::string(token)});
  }
  return asks;
}

// Found: an earlier sending did it, although its answer was lost. Not found: the unique value that
// stands in the way is of somebody else's row, so the refusal was meant.
Verdict Verdicts::decode_answer(const Call& call, const Response& response, double now_s) const {
  if (response.fault != Fault::none) return unanswered(call, response, call.replay_safe);
  const ServiceError error = read_service_error(response);
  Verdict verdict;
  const std::optional<Closing>& closing = write_of(call).closing;
  const std::optional<Closed> state =
      closing && is_success(response.status) ? closed(*closing, response) : std::nullopt;
  if (state == Closed::otherwise) {
    verdict = closed_otherwise(*closing);
  } else if (state == Closed::open) {
    verdict.kind = Kind::rejected;  // it was not done: the verdict that asked stands
  } else if (closing && !state && is_success(response.status)) {
    verdict = is_from_service(response) ? unreadable() : web_page();
  } else if (is_success(response.status)) {
    const Action action = write_of(call).action;
    verdict = is_from_service(response) ? delivered(effect_of(action, 0)) : web_page();
  } else if (response.status == 404 && !error.code.empty()) {
    verdict.kind = Kind::rejected;
  } else {
    verdict = meaning_of(error, response, client_id_, now_s);
    if (closing && is_wordless(response, error)) verdict.kind = Kind::again;
    const bool goes_on = verdict.kind == Kind::again || verdict.kind == Kind::sign_in ||
                         (verdict.kind == Kind::pause && response.status != 403);
    if (!goes_on) {
      verdict.kind = Kind::unconfirmed;
      verdict.action_needed =
          "administrator: let the application user read this table, then replay";
    }
  }
  if (verdict.kind != Kind::rejected) verdict.record_id = call.record_id;
  verdict.request_id = service_request_id(response);
  return verdict;
}

}  // namespace fieldpost::dynamics
