#include "fieldpost/dispatcher.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/process.h"
#include "dispatch/state.h"
#include "http/options.h"

namespace fieldpost {

namespace {

// While there is work for the wire, outcomes are gathered for so long at most, so that they cross
// the boundary and reach the ledger in groups.
constexpr double kGathering_s = 0.005;

}  // namespace

void Dispatcher::State::check_process() const {
  if (process != 0 && process != process_mark()) {
    throw std::logic_error("a dispatcher cannot be used in a forked child; make one there");
  }
}

void Dispatcher::State::offer(std::shared_ptr<const Batch> batch,
                              const std::vector<Offer>& offers) {
  check_process();
  process = process_mark();
  for (const Offer& offer : offers) {
    if (offer.index >= batch->records.size()) {
      throw std::out_of_range("the batch has no record " + std::to_string(offer.index));
    }
  }
  for (const Offer& offer : offers) {
    const Id id = deliveries.add(batch, offer);
    const std::string_view key = deliveries.at(id).order_key();
    if (key.empty() || lanes.enter(key, id)) fresh.push_back(id);
  }
}

std::vector<Outcome> Dispatcher::State::settle(double timeout_s) {
  check_process();
  const double begin_s = clock->monotonic_s();
  const double end_s = begin_s + timeout_s;
  for (bool first = true;; first = false) {
    end_what_stays_ill();
    start_what_may();
    if (closed()) return_what_waits();
    if (governor.in_flight() == 0 && fresh.empty() && ready.empty()) tell_suspects();
    const double now_s = clock->monotonic_s();
    const bool nothing_moves =
        governor.in_flight() == 0 && (deliveries.empty() || token_wanted || closed());
    if (nothing_moves || (now_s >= end_s && !first)) break;
    const double gathered_s = begin_s + (may_gather() ? kGathering_s : 0);
    if (!told.empty() && now_s >= gathered_s) break;
    const bool wanted = token_wanted;
    const double until_s = told.empty() ? end_s : std::min(end_s, gathered_s);
    const double wait_s = std::clamp(seconds_to_next_start(), 0.0, std::max(until_s - now_s, 0.0));
    const std::vector<Completion> completions = transport->wait(wait_s);
    if (!completions.empty()) {
      const Moment now{clock->monotonic_s(), clock->unix_s()};
      for (const Completion& completion : completions) complete(completion, now);
    }
    if (token_wanted && !wanted) break;
  }
  return std::exchange(told, {});
}

// Whether more outcomes may be awaited before these are told: as long as the wire has work, and
// longest while there is more of it.
bool Dispatcher::State::may_gather() const {
  if (!fresh.empty()) return true;
  return governor.in_flight() > 0 && 4 * told.size() < most_held();
}

void Dispatcher::State::start_what_may() {
  while (may_start()) {
    const double now_s = clock->monotonic_s();
    if (!governor.may_start(now_s)) return;
    if (Target* only = targets.only(); only && !only->breaker.may_start(now_s)) return;
    take_up_held(now_s);
    const std::optional<Id> id = next(now_s);
    if (!id) return;
    starting.assign(1, *id);
    try {
      start(*id, now_s);
    } catch (...) {  // what is not on the wire has its turn again
      ready.insert(ready.begin(), starting.begin(), starting.end());
      starting.clear();
      throw;
    }
    starting.clear();
    if (!fresh.empty()) deliveries.at(fresh.front()).fetch();
  }
}

// Questions first: they free a place. Then what is due again, then what is new; a probe is the
// other way round, so that no record is tried more often than others for it.
std::optional<Id> Dispatcher::State::next(double now_s) {
  const auto take = [](std::deque<Id>& queue) {
    const Id id = queue.front();
    queue.pop_front();
    return id;
  };
  while (protocol->most_together() > 1 && !retries.empty() && retries.top().at_s <= now_s) {
    ready.push_back(retries.top().id);  // where those that are due can go together
    retries.pop();
  }
  const bool probes = targets.only() && targets.only()->breaker.is_open();
  if (probes && !fresh.empty()) return take(fresh);
  if (!ready.empty()) return take(ready);
  if (!retries.empty() && retries.top().at_s <= now_s) {
    const Id id = retries.top().id;
    retries.pop();
    return id;
  }
  if (!fresh.empty()) return take(fresh);
  return std::nullopt;
}

void Dispatcher::State::start(Id id, double now_s) {
  Delivery& delivery = deliveries.at(id);
  if (const Verdict* why = held_by(delivery)) {
    delivery.not_sent_for(*why, "the subscription");
    return wait_for_subscription(id);
  }
  Request* request = nullptr;
  try {
    request = &delivery.request(*protocol);
  } catch (CallFault& fault) {
    delivery.refused(std::move(fault));
    tell(id, delivery.in_doubt() ? "unconfirmed" : "invalid");
    return;
  }
  if (limits.operations - operations < delivery.operations()) {
    too_few_left = true;
    ready.push_front(id);
    return;
  }
  Target& target = targets.of(request->url);
  if (!target.breaker.may_start(now_s)) return hold(id, target, now_s);
  if (protocol->most_together() > 1) {
    const auto together = protocol->together(*delivery.plain_call(*protocol));
    if (together) return start_together(id, *together, now_s);
  }
  send(id, *request, delivery.asks() ? std::vector<Header>() : signatures(delivery.call()), now_s);
  operations += delivery.operations();
  delivery.started(now_s, token);
}

std::vector<Header> Dispatcher::State::signatures(const Call& call) const {
  if (keys.empty()) return {};
  return protocol->signatures(call, keys, static_cast<std::int64_t>(clock->unix_s()));
}

void Dispatcher::State::send(Id id, Request& request, std::vector<Header> signatures,
                             double now_s) {
  const std::size_t own = request.headers.size();
  if (!signature.value.empty() && !request.has_header(signature.name)) {
    request.headers.push_back(signature);
  }
  for (Header& header : signatures) request.headers.push_back(std::move(header));
  try {
    transport->start(id, request);
  } catch (...) {
    request.headers.resize(own);
    throw;
  }
  starting.clear();
  request.headers.resize(own);
  governor.started(now_s);
  targets.of(request.url).breaker.started(id, now_s);
  ++started;
}

// How long the transport may wait before something else could start.
double Dispatcher::State::seconds_to_next_start() const {
  constexpr double kNever_s = 1e9;
  if (!may_start() || governor.in_flight() >= governor.in_flight_limit()) return kNever_s;
  const double now_s = clock->monotonic_s();
  double free_s = governor.next_start_s();
  if (const Target* only = targets.only()) {
    free_s = std::max(free_s, only->breaker.next_start_s(now_s));
  }
  double at_s = kNever_s;
  if (!ready.empty() || !fresh.empty()) {
    at_s = free_s;
  } else if (!retries.empty()) {
    at_s = std::max(retries.top().at_s, free_s);
  }
  return std::min(std::min(at_s, next_held_s(now_s)) - now_s, kNever_s);
}

void Dispatcher::State::complete(const Completion& completion, const Moment& now) {
  common_wait_s.reset();
  if (const auto pack = packs.extract(completion.id)) {
    return complete_together(pack.mapped(), completion.response, now);
  }
  Delivery& delivery = deliveries.at(completion.id);
  const std::string url = delivery.request(*protocol).url;  // the answer may put another in place
  const Verdict& verdict = delivery.answered(*protocol, completion.response, now.s, now.unix_s);
  governor.ended(end_of(completion.response, is_busy(completion.response, verdict)),
                 delivery.last_start_s(), now.s);
  watch({completion.id, url, completion.response, verdict, now.s});
  decide(completion.id, verdict);  // which may end the delivery, and its verdict with it
}

Dispatcher::Dispatcher(std::unique_ptr<Protocol> protocol, std::unique_ptr<Transport> transport,
                       RetryPolicy retry, Limits limits, std::shared_ptr<const Clock> clock,
                       std::shared_ptr<Random> random, BreakerPolicy breaker)
    : state_(std::make_unique<State>(std::move(protocol), std::move(transport), std::move(retry),
                                     limits, breaker, std::move(clock), std::move(random))) {}

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

void Dispatcher::hide(std::string text) { state_->secrets.keep(std::move(text)); }

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

void Dispatcher::count_started(int requests) {
  const double now_s = state_->clock->monotonic_s();
  for (int i = 0; i < requests && state_->governor.may_start(now_s); ++i) {
    state_->governor.started(now_s);
    state_->governor.ended(Governor::End::silent, now_s, now_s);
    ++state_->started;
  }
}

std::uint64_t Dispatcher::started() const noexcept { return state_->started; }

std::uint64_t Dispatcher::operations() const noexcept { return state_->operations; }

std::size_t Dispatcher::capacity() const noexcept { return state_->most_held(); }

bool Dispatcher::used_up() const noexcept { return state_->used_up(); }

void Dispatcher::allow_operations(std::uint64_t in_all) noexcept {
  if (in_all > state_->limits.operations) state_->too_few_left = false;
  state_->limits.operations = in_all;
}

double Dispatcher::held_s() const {
  return std::max(0.0, state_->governor.free_at_s() - state_->clock->monotonic_s());
}

double Dispatcher::throttled_s() const {
  return state_->governor.held_for_s(state_->clock->monotonic_s());
}

const std::vector<Traffic>& Dispatcher::traffic() const noexcept {
  return state_->counter.traffic();
}

Dispatcher::Trouble Dispatcher::trouble() const {
  const Trouble& last = state_->trouble;
  return {last.tries, state_->secrets.hide(last.code), state_->secrets.hide(last.message)};
}

std::vector<Dispatcher::Opening> Dispatcher::openings() const {
  std::vector<Opening> all;
  const double now_s = state_->clock->monotonic_s();
  for (const auto& [origin, target] : state_->targets.all()) {
    const auto& opening = target.breaker.opening();
    if (!opening) continue;
    const bool probes = target.breaker.probes();
    all.push_back({origin, now_s - opening->since_s,
                   probes ? 0 : std::max(0.0, opening->next_probe_s - now_s),
                   state_->secrets.hide(target.code), state_->secrets.hide(target.message)});
  }
  return all;
}

bool Dispatcher::has_one_target() const noexcept { return state_->targets.only() != nullptr; }

double Dispatcher::well_ago_s() const {
  const Target* only = state_->targets.only();
  if (!only || !only->breaker.well_s()) return -1;
  return state_->clock->monotonic_s() - *only->breaker.well_s();
}

void Dispatcher::follow(double since_s, double next_probe_s) {
  const double now_s = state_->clock->monotonic_s();
  if (Target* only = state_->targets.only()) {
    only->breaker.follow({now_s - since_s, now_s + next_probe_s});
  }
}

void Dispatcher::release() {
  if (Target* only = state_->targets.only()) only->breaker.release();
}

std::vector<Dispatcher::Paused> Dispatcher::paused() const {
  std::vector<Paused> all;
  for (const auto& [subscription, why] : state_->paused_subscriptions) {
    all.push_back({subscription, state_->secrets.hide(why.code), state_->secrets.hide(why.message),
                   why.action_needed});
  }
  return all;
}

std::vector<Protocol::Lack> Dispatcher::lacks() const { return state_->protocol->lacks(); }

const std::string& Dispatcher::pause_code() const noexcept { return state_->pause.code; }

const std::string& Dispatcher::pause_message() const noexcept { return state_->pause.message; }

void Dispatcher::stop() noexcept { state_->stopped = true; }

void Dispatcher::hang_up() {
  state_->check_process();
  state_->stopped = true;
  state_->transport->hang_up();
}

Call Dispatcher::preview(const Batch& batch, std::uint32_t index) const {
  const Protocol& protocol = *state_->protocol;
  Call call = protocol.encode(batch, batch.records.at(index));
  if (!protocol.together(call)) return call;
  Call combined = protocol.combine({&call});
  combined.record_id = call.record_id;
  return combined;
}

std::vector<Protocol::Successor> Dispatcher::successors(const Call& previewed) const {
  std::vector<Protocol::Successor> all;
  std::vector<const Request*> seen = {&previewed.request};
  auto next = state_->protocol->successor(previewed);
  while (next) {
    const std::shared_ptr<const Call> call = next->call;
    const bool is_known = std::any_of(seen.begin(), seen.end(),
                                      [&](const Request* one) { return *one == call->request; });
    if (is_known) break;
    seen.push_back(&call->request);
    all.push_back(*std::move(next));
    next = state_->protocol->successor(*call);
  }
  return all;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> Dispatcher::weigh(const Batch& batch) const {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> operations;
  operations.reserve(batch.records.size());
  for (const Record& record : batch.records) {
    auto& [first, more] = operations.emplace_back(0, 0);
    try {
      const Call call = state_->protocol->encode(batch, record);
      for (const auto& next : successors(call)) more += next.call->operations;
      first = call.operations;
    } catch (const CallFault&) {
      more = 0;
    }
  }
  return operations;
}

std::unique_ptr<Dispatcher> make_dispatcher(const Json& document, const CompileRule& compile) {
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
  return std::make_unique<Dispatcher>(make_protocol(protocol, compile),
                                      make_curl_transport(options), retry, limits,
                                      std::make_shared<SystemClock>(), std::make_shared<Random>(),
                                      make_breaker_policy(part("breaker")));
}

}  // namespace fieldpost
