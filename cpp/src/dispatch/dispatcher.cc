#include "fieldpost/dispatcher.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <queue>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/random.h"
#include "dispatch/delivery.h"
#include "dispatch/lanes.h"
#include "dispatch/secrets.h"
#include "dispatch/traffic.h"
#include "fieldpost/error.h"
#include "http/governor.h"
#include "http/options.h"

namespace fieldpost {

namespace {

using Id = std::uint64_t;

struct Due {
  double at_s;
  Id id;
  bool operator>(const Due& other) const noexcept { return at_s > other.at_s; }
};

// While there is work for the wire, outcomes are gathered for so long, so that they cross the
// boundary and reach the ledger in groups.
constexpr double kGathering_s = 0.005;

// So many refusals in a row that may hold for every request, and nothing else between: they do.
constexpr int kRefusedAlike = 5;

using Retries = std::priority_queue<Due, std::vector<Due>, std::greater<>>;

Verdict tokens_refused(const Verdict& verdict) {
  Verdict pause;
  pause.kind = Verdict::Kind::pause;
  pause.code = "http_401";
  pause.message = "the destination refused a new token: " + verdict.message;
  pause.action_needed = "administrator: check the credentials of this destination and their rights";
  return pause;
}

bool is_busy(const Response& response, const Verdict& verdict) {
  return response.status == 429 || response.status == 503 || verdict.wait_s.has_value();
}

Verdict all_refused(const Verdict& verdict) {
  Verdict pause;
  pause.kind = Verdict::Kind::pause;
  pause.code = verdict.code;
  pause.message = "the destination refuses every request: " + verdict.message;
  pause.action_needed = verdict.action_needed;
  return pause;
}

Verdict unreachable(std::string message) {
  Verdict pause;
  pause.kind = Verdict::Kind::pause;
  pause.code = "E501";
  pause.message = std::move(message);
  pause.action_needed = "operator: check the address and the network, then deliver again";
  return pause;
}

}  // namespace

// A call on the wire that carries several records.
struct Flight {
  std::vector<Id> members;
  Call call;
};

// Each delivery is in exactly one place: fresh, ready, retries, parked, suspects, on the wire, or
// in a lane behind another.
struct Dispatcher::State {
  State(std::unique_ptr<Protocol> its_protocol, std::unique_ptr<Transport> its_transport,
        RetryPolicy its_retry, Limits its_limits, std::shared_ptr<const Clock> its_clock,
        std::shared_ptr<Random> its_random)
      : protocol(std::move(its_protocol)),
        transport(std::move(its_transport)),
        retry(std::move(its_retry)),
        limits(its_limits),
        clock(std::move(its_clock)),
        random(std::move(its_random)),
        governor(limits) {}

  void check_process() const;
  void offer(std::shared_ptr<const Batch> batch, const std::vector<Offer>& offers);
  std::vector<Outcome> settle(double timeout_s);

  bool closed() const noexcept { return stopped || !pause.code.empty(); }
  bool may_start() const { return !closed() && !token_wanted; }
  void start_what_may();
  std::optional<Id> next();
  void start(Id id);
  void send(Id id, Request& request, std::vector<Header> signatures);
  void start_together(Id id, const Protocol::Together& together);
  std::vector<Id> gather(Id id, const Protocol::Together& together);
  std::int64_t unix_now() const { return static_cast<std::int64_t>(clock->unix_s()); }
  std::size_t most_held() const {
    return 2 * static_cast<std::size_t>(limits.max_in_flight) * protocol->most_together();
  }
  double seconds_to_next_start() const;

  void complete(const Completion& completion);
  void complete_together(const Flight& flight, const Response& response);
  void decide(Id id, const Verdict& verdict);
  void try_again(Id id, const Verdict& verdict);
  bool retries_take(Id id) const;
  void give_up(Id id, std::string outcome);
  bool concluded(Id id, const Verdict& verdict);
  void sign_in(Id id, const Verdict& verdict);
  void watch_connection(const Response& response, const Verdict& verdict);
  void watch_refusals(const Verdict& verdict);
  void tell_suspects();
  void pause_with(Verdict why);
  void return_what_waits();
  void tell(Id id, std::string outcome);

  std::unique_ptr<Protocol> protocol;
  std::unique_ptr<Transport> transport;
  RetryPolicy retry;
  Limits limits;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  Governor governor;

  pid_t process = 0;  // of the first offer
  Id last_id = 0;
  std::unordered_map<Id, Delivery> deliveries;  // offered and not yet told
  Lanes lanes;                                  // of those with an order key
  std::deque<Id> fresh;                         // never started
  std::deque<Id> ready;                         // questions, and what comes back from a sign-in
  std::map<Id, Flight> flights;                 // on the wire with others, by the first of each
  Retries retries;
  std::vector<Id> parked;    // until authorize()
  std::vector<Id> suspects;  // refused alike; told when it shows whether all are
  int refused_alike = 0;     // in a row
  std::vector<Outcome> told;

  Secrets secrets;
  Header signature;
  SigningKeys keys;
  std::uint64_t started = 0;  // requests
  TrafficCounter counter;
  std::uint64_t token = 0;  // counts authorize()
  bool token_wanted = false;
  bool stopped = false;
  Verdict pause;  // code "" while not paused
  std::optional<double> unreachable_since_s;
};

void Dispatcher::State::check_process() const {
  if (process != 0 && process != getpid()) {
    throw std::logic_error("a dispatcher cannot be used in a forked child; make one there");
  }
}

void Dispatcher::State::offer(std::shared_ptr<const Batch> batch,
                              const std::vector<Offer>& offers) {
  check_process();
  process = getpid();
  for (const Offer& offer : offers) {
    if (offer.index >= batch->records.size()) {
      throw std::out_of_range("the batch has no record " + std::to_string(offer.index));
    }
  }
  for (const Offer& offer : offers) {
    const Id id = ++last_id;
    const auto [delivery, _] = deliveries.try_emplace(id, batch, offer);
    const std::string_view key = delivery->second.order_key();
    if (key.empty() || lanes.enter(key, id)) fresh.push_back(id);
  }
}

std::vector<Outcome> Dispatcher::State::settle(double timeout_s) {
  check_process();
  const double begin_s = clock->monotonic_s();
  const double end_s = begin_s + timeout_s;
  for (bool first = true;; first = false) {
    start_what_may();
    if (closed()) return_what_waits();
    if (governor.in_flight() == 0 && fresh.empty() && ready.empty()) tell_suspects();
    const double now_s = clock->monotonic_s();
    const bool nothing_moves =
        governor.in_flight() == 0 && (deliveries.empty() || token_wanted || closed());
    if (nothing_moves || (now_s >= end_s && !first)) break;
    if (!told.empty() && (fresh.empty() || now_s >= begin_s + kGathering_s)) break;
    const bool wanted = token_wanted;
    const double until_s = told.empty() ? end_s : std::min(end_s, begin_s + kGathering_s);
    const double wait_s = std::clamp(seconds_to_next_start(), 0.0, std::max(until_s - now_s, 0.0));
    for (const Completion& completion : transport->wait(wait_s)) complete(completion);
    if (token_wanted && !wanted) break;
  }
  return std::exchange(told, {});
}

void Dispatcher::State::start_what_may() {
  while (may_start() && governor.may_start(clock->monotonic_s())) {
    const std::optional<Id> id = next();
    if (!id) return;
    start(*id);
  }
}

// Questions first: they free a place. Then what is due again, then what is new.
std::optional<Id> Dispatcher::State::next() {
  const auto take = [](std::deque<Id>& queue) {
    const Id id = queue.front();
    queue.pop_front();
    return id;
  };
  while (protocol->most_together() > 1 && !retries.empty() &&
         retries.top().at_s <= clock->monotonic_s()) {
    ready.push_back(retries.top().id);  // where those that are due can go together
    retries.pop();
  }
  if (!ready.empty()) return take(ready);
  if (!retries.empty() && retries.top().at_s <= clock->monotonic_s()) {
    const Id id = retries.top().id;
    retries.pop();
    return id;
  }
  if (!fresh.empty()) return take(fresh);
  return std::nullopt;
}

void Dispatcher::State::start(Id id) {
  Delivery& delivery = deliveries.at(id);
  Request* request = nullptr;
  try {
    request = &delivery.request(*protocol);
  } catch (CallFault& fault) {
    delivery.refused(std::move(fault));
    tell(id, "invalid");
    return;
  }
  if (protocol->most_together() > 1) {
    const Call* call = delivery.plain_call(*protocol);
    const auto together = call ? protocol->together(*call) : std::nullopt;
    if (together) return start_together(id, *together);
  }
  send(id, *request, delivery.signatures(*protocol, keys, unix_now()));
  delivery.started(clock->monotonic_s(), token);
}

void Dispatcher::State::send(Id id, Request& request, std::vector<Header> signatures) {
  const std::size_t own = request.headers.size();
  if (!signature.value.empty() && !request.has_header(signature.name)) {
    request.headers.push_back(signature);
  }
  for (Header& header : signatures) request.headers.push_back(std::move(header));
  transport->start(id, request);
  request.headers.resize(own);
  governor.started(clock->monotonic_s());
  ++started;
}

// One request for this record and those like it that wait; it flies under the id of the first.
void Dispatcher::State::start_together(Id id, const Protocol::Together& together) {
  Flight flight;
  flight.members = gather(id, together);
  std::vector<const Call*> calls;
  for (const Id member : flight.members) {
    calls.push_back(deliveries.at(member).plain_call(*protocol));
  }
  flight.call = protocol->combine(calls);
  send(id, flight.call.request, protocol->signatures(flight.call, keys, unix_now()));
  for (const Id member : flight.members) {
    deliveries.at(member).started(clock->monotonic_s(), token);
  }
  flights.emplace(id, std::move(flight));
}

std::vector<Id> Dispatcher::State::gather(Id id, const Protocol::Together& together) {
  std::vector<Id> members = {id};
  std::size_t bytes = deliveries.at(id).plain_call(*protocol)->request.body.size();
  std::size_t most = std::min(together.records, deliveries.at(id).company());
  const auto joins = [&](Id other) {
    Delivery& delivery = deliveries.at(other);
    if (delivery.company() <= members.size()) return false;
    const Call* call = nullptr;
    try {
      call = delivery.plain_call(*protocol);
    } catch (const CallFault&) {
      return false;  // it is told when its turn comes
    }
    const auto its = call ? protocol->together(*call) : std::nullopt;
    if (!its || its->key != together.key) return false;
    if (bytes + call->request.body.size() > together.bytes) return false;
    bytes += call->request.body.size();
    most = std::min(most, delivery.company());
    return true;
  };
  for (std::deque<Id>* queue : {&ready, &fresh}) {
    std::size_t left = 2 * together.records;  // to look at; the rest has its turn
    for (auto at = queue->begin(); at != queue->end() && members.size() < most && left > 0;
         --left) {
      if (joins(*at)) {
        members.push_back(*at);
        at = queue->erase(at);
      } else {
        ++at;
      }
    }
  }
  return members;
}

// How long the transport may wait before something else could start.
double Dispatcher::State::seconds_to_next_start() const {
  constexpr double kNever_s = 1e9;
  if (!may_start() || governor.in_flight() >= governor.in_flight_limit()) return kNever_s;
  double at_s = kNever_s;
  if (!ready.empty() || !fresh.empty()) {
    at_s = governor.next_start_s();
  } else if (!retries.empty()) {
    at_s = std::max(retries.top().at_s, governor.next_start_s());
  }
  return std::min(at_s - clock->monotonic_s(), kNever_s);
}

void Dispatcher::State::complete(const Completion& completion) {
  if (const auto flight = flights.extract(completion.id)) {
    return complete_together(flight.mapped(), completion.response);
  }
  const double now_s = clock->monotonic_s();
  Delivery& delivery = deliveries.at(completion.id);
  const Verdict& verdict =
      delivery.answered(*protocol, completion.response, now_s, clock->unix_s());
  const auto end = completion.response.fault != Fault::none ? Governor::End::silent
                   : is_busy(completion.response, verdict)  ? Governor::End::busy
                                                            : Governor::End::answered;
  governor.ended(end, delivery.last_start_s(), now_s);
  watch_connection(completion.response, verdict);
  decide(completion.id, verdict);  // which may end the delivery, and its verdict with it
}

void Dispatcher::State::complete_together(const Flight& flight, const Response& response) {
  const double now_s = clock->monotonic_s();
  const std::size_t count = flight.members.size();
  std::vector<Verdict> verdicts =
      protocol->decode_each(flight.call, count, response, clock->unix_s());
  const bool busy = std::any_of(verdicts.begin(), verdicts.end(),
                                [&](const Verdict& one) { return is_busy(response, one); });
  const auto end = response.fault != Fault::none ? Governor::End::silent
                   : busy                        ? Governor::End::busy
                                                 : Governor::End::answered;
  governor.ended(end, deliveries.at(flight.members.front()).last_start_s(), now_s);
  watch_connection(response, verdicts.front());
  for (std::size_t i = 0; i < count; ++i) {
    Delivery& delivery = deliveries.at(flight.members[i]);
    const Verdict verdict = delivery.answered_among(std::move(verdicts[i]), response, now_s);
    if (verdict.alone && count > 1) {
      delivery.split(count);
      ready.push_back(flight.members[i]);
    } else {
      decide(flight.members[i], verdict);
    }
  }
}

void Dispatcher::State::decide(Id id, const Verdict& verdict) {
  if (deliveries.at(id).asked_last() && concluded(id, verdict)) return;
  switch (verdict.kind) {
    case Verdict::Kind::delivered:
      tell(id, "delivered");
      break;
    case Verdict::Kind::rejected:
      if (verdict.perhaps_all) {
        suspects.push_back(id);
      } else {
        give_up(id, "rejected");
      }
      break;
    case Verdict::Kind::unconfirmed:
      tell(id, "unconfirmed");
      break;
    case Verdict::Kind::again:
      try_again(id, verdict);
      break;
    case Verdict::Kind::verify:
      ready.push_front(id);
      break;
    case Verdict::Kind::sign_in:
      sign_in(id, verdict);
      break;
    case Verdict::Kind::pause:
      pause_with(verdict);
      tell(id, "waiting");
  }
}

void Dispatcher::State::try_again(Id id, const Verdict& verdict) {
  const double now_s = clock->monotonic_s();
  const Tries tries = deliveries.at(id).tries(now_s);
  if (verdict.wait_s) {
    governor.hold_until(now_s + std::min(*verdict.wait_s, kLongestRetryAfter_s), now_s);
  }
  if (verdict.give_up_after > 0 && tries.in_all >= verdict.give_up_after) {
    give_up(id, "rejected");
    return;
  }
  const std::optional<double> wait_s = next_wait_s(retry, tries, verdict.wait_s, *random);
  if (!wait_s) {
    give_up(id, "expired");
  } else if (retries_take(id)) {
    retries.push({now_s + *wait_s, id});
  } else {
    tell(id, "waiting");
    told.back().retry_in_s = *wait_s;
  }
}

// An answer that was lost on the way may have said that it took effect: ask, or say so.
void Dispatcher::State::give_up(Id id, std::string outcome) {
  Delivery& delivery = deliveries.at(id);
  if (delivery.ask_before(*protocol, outcome)) {
    ready.push_front(id);
  } else {
    tell(id, delivery.in_doubt() ? "unconfirmed" : std::move(outcome));
  }
}

// The answer to the last question, which is not asked twice.
bool Dispatcher::State::concluded(Id id, const Verdict& verdict) {
  using Kind = Verdict::Kind;
  const bool goes_on = verdict.kind == Kind::sign_in || verdict.kind == Kind::pause;
  if (goes_on) return false;
  const Delivery& delivery = deliveries.at(id);
  const bool unsure = verdict.kind != Kind::rejected && delivery.in_doubt();
  tell(id, verdict.kind == Kind::delivered ? "delivered"
           : unsure                        ? "unconfirmed"
                                           : delivery.ends_as());
  return true;
}

// What waits for its next try keeps its place here only as long as it leaves room for others; what
// is in a lane keeps it, or those behind would overtake it.
bool Dispatcher::State::retries_take(Id id) const {
  return retries.size() < most_held() / 2 || !deliveries.at(id).order_key().empty();
}

// All that were refused with one token wait for the next; one that had a new token already and was
// refused again shows that tokens do not help.
void Dispatcher::State::sign_in(Id id, const Verdict& verdict) {
  Delivery& delivery = deliveries.at(id);
  if (delivery.refuses_tokens()) {
    pause_with(tokens_refused(verdict));
    delivery.explain_over(pause);
    tell(id, "waiting");
  } else if (delivery.token() < token) {
    ready.push_back(id);
  } else {
    parked.push_back(id);
    token_wanted = true;
  }
}

void Dispatcher::State::watch_connection(const Response& response, const Verdict& verdict) {
  if (response.fault == Fault::unsent) return;  // tells nothing about the destination
  if (response.fault == Fault::none) watch_refusals(verdict);
  if (response.fault != Fault::unreachable) {
    unreachable_since_s.reset();
    return;
  }
  const double now_s = clock->monotonic_s();
  if (!unreachable_since_s) unreachable_since_s = now_s;
  if (now_s - *unreachable_since_s < limits.pause_after_unreachable_s) return;
  pause_with(unreachable(verdict.message));
}

void Dispatcher::State::watch_refusals(const Verdict& verdict) {
  if (!verdict.perhaps_all) {
    refused_alike = 0;
    tell_suspects();
  } else if (++refused_alike >= kRefusedAlike) {
    pause_with(all_refused(verdict));
  }
}

// It stood for itself only: others were answered otherwise, or nothing else is left to ask.
void Dispatcher::State::tell_suspects() {
  for (const Id id : std::exchange(suspects, {})) give_up(id, "rejected");
}

void Dispatcher::State::pause_with(Verdict why) {
  if (!pause.code.empty()) return;
  why.message = secrets.hide(std::move(why.message));
  pause = std::move(why);
}

// Once closed, nothing starts: what is not on the wire goes back undecided.
void Dispatcher::State::return_what_waits() {
  while (!retries.empty()) {
    ready.push_back(retries.top().id);
    retries.pop();
  }
  const auto send_back = [this](auto& ids) {
    while (!ids.empty()) {
      const Id id = ids.back();
      ids.pop_back();
      deliveries.at(id).explain(pause);
      tell(id, "waiting");  // which may make another fresh
    }
  };
  send_back(ready);
  send_back(parked);
  if (pause.code.empty()) {
    tell_suspects();  // stopped: nobody will find out
  } else {
    send_back(suspects);
  }
  send_back(fresh);
  token_wanted = false;
}

void Dispatcher::State::tell(Id id, std::string outcome) {
  const auto delivery = deliveries.find(id);
  Outcome said = delivery->second.outcome(std::move(outcome));
  counter.told(delivery->second.subscription(), delivery->second.attempts(), said);
  if (!said.message.empty()) said.message = secrets.hide(std::move(said.message));
  told.push_back(std::move(said));
  if (const std::string_view key = delivery->second.order_key(); !key.empty()) {
    if (const std::optional<Id> next = lanes.leave(key)) fresh.push_back(*next);
  }
  deliveries.erase(delivery);
}

Dispatcher::Dispatcher(std::unique_ptr<Protocol> protocol, std::unique_ptr<Transport> transport,
                       RetryPolicy retry, Limits limits, std::shared_ptr<const Clock> clock,
                       std::shared_ptr<Random> random)
    : state_(std::make_unique<State>(std::move(protocol), std::move(transport), std::move(retry),
                                     limits, std::move(clock), std::move(random))) {}

Dispatcher::~Dispatcher() = default;

void Dispatcher::offer(std::shared_ptr<const Batch> batch, const std::vector<Offer>& offers) {
  state_->offer(std::move(batch), offers);
}

std::vector<Outcome> Dispatcher::settle(double timeout_s) { return state_->settle(timeout_s); }

void Dispatcher::authorize(std::string header, std::string name) {
  State& state = *state_;
  state.check_process();
  state.secrets.add(header);
  state.signature = {std::move(name), std::move(header)};
  ++state.token;
  state.token_wanted = false;
  state.ready.insert(state.ready.end(), state.parked.begin(), state.parked.end());
  state.parked.clear();
}

void Dispatcher::sign_with(SigningKeys keys) {
  state_->check_process();
  state_->secrets.add(keys.segment);
  state_->keys = std::move(keys);
}

bool Dispatcher::token_wanted() const noexcept { return state_->token_wanted; }

std::size_t Dispatcher::outstanding() const noexcept {
  return state_->deliveries.size() + state_->told.size();
}

std::size_t Dispatcher::room() const noexcept {
  if (state_->closed()) return 0;
  const std::size_t most = state_->most_held();
  return most - std::min(most, outstanding());
}

std::size_t Dispatcher::in_flight() const noexcept {
  return static_cast<std::size_t>(state_->governor.in_flight());
}

void Dispatcher::allow(int max_in_flight, int requests_per_window, std::int64_t starts) {
  state_->governor.allow(max_in_flight, requests_per_window, starts);
}

void Dispatcher::hold(double seconds) {
  const double now_s = state_->clock->monotonic_s();
  state_->governor.hold_until(now_s + seconds, now_s);
}

std::uint64_t Dispatcher::started() const noexcept { return state_->started; }

double Dispatcher::held_s() const {
  return std::max(0.0, state_->governor.free_at_s() - state_->clock->monotonic_s());
}

double Dispatcher::throttled_s() const {
  return state_->governor.held_for_s(state_->clock->monotonic_s());
}

const std::vector<Traffic>& Dispatcher::traffic() const noexcept {
  return state_->counter.traffic();
}

const std::string& Dispatcher::pause_code() const noexcept { return state_->pause.code; }

const std::string& Dispatcher::pause_message() const noexcept { return state_->pause.message; }

void Dispatcher::stop() noexcept { state_->stopped = true; }

Call Dispatcher::preview(const Batch& batch, std::uint32_t index) const {
  const Protocol& protocol = *state_->protocol;
  Call call = protocol.encode(batch, batch.records.at(index));
  if (!protocol.together(call)) return call;
  Call combined = protocol.combine({&call});
  combined.record_id = call.record_id;
  return combined;
}

std::unique_ptr<Dispatcher> make_dispatcher(const Json& document) {
  static const Json kNothing;
  const auto part = [&](const char* key) -> const Json& {
    const bool given = document.is_object() && document.contains(key);
    return given ? document.at(key) : kNothing;
  };
  const RetryPolicy retry = make_retry_policy(part("retry"));
  const Limits limits = make_limits(part("limits"));
  TransportOptions options = make_transport_options(part("transport"));
  options.max_connections = std::max(options.max_connections, limits.max_in_flight);
  Json protocol = part("protocol");
  if (protocol.is_object() && !protocol.contains("retry_statuses")) {
    protocol["retry_statuses"] = retry.statuses;
  }
  return std::make_unique<Dispatcher>(make_protocol(protocol), make_curl_transport(options), retry,
                                      limits, std::make_shared<SystemClock>(),
                                      std::make_shared<Random>());
}

}  // namespace fieldpost
