// Reads from an answer how the records to come will fare: their target is ill, refuses everybody,
// or leaves only doubts.
#include <algorithm>
#include <functional>
#include <utility>

#include "dispatch/state.h"
#include "http/retry.h"

namespace fieldpost {

namespace {

using Kind = Verdict::Kind;
using About = Verdict::About;

// So many refusals in a row that may hold for every request of the destination: they do.
constexpr int kRefusedAlike = 5;
// So many answers in a row asked for fewer requests, and none for how long to wait.
constexpr int kBusyInARow = 8;
constexpr const char* kEverywhere = "";  // where refusals that no address changes count besides

// Refusals of a subscription at an address, or at a host, are counted there.
std::string place(std::uint32_t subscription, std::string_view where) {
  return std::to_string(subscription).append("\n").append(where);
}

std::string counted(int number, const char* one) {
  return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
}

Verdict pause_of(Kind kind, std::string code, std::string message, std::string action_needed) {
  Verdict pause;
  pause.kind = kind;
  pause.code = std::move(code);
  pause.message = std::move(message);
  pause.action_needed = std::move(action_needed);
  return pause;
}

std::string met(int calls, const Verdict& verdict) {
  return "refused the last " + counted(calls, "record") +
         ", all different, in the same words: " + verdict.message;
}

Verdict ill(const std::string& what, const std::string& last = "") {
  return pause_of(Kind::pause, "E532",
                  what + " for as long as records are tried" + (last.empty() ? "" : ": ") + last,
                  "operator: look why the destination fails, then deliver again");
}

bool may_be_of_all(const Verdict& verdict) {
  return verdict.kind == Kind::rejected && verdict.about != About::record;
}

bool is_failure(const Response& response, const Verdict& verdict) {
  if (verdict.kind != Kind::again || verdict.wait_s) return false;
  const int status = verdict.http_status > 0 ? verdict.http_status : response.status;
  return status >= 500 || verdict.give_up_after == 0;
}

}  // namespace

Breaker::Answer answer_of(const Response& response, const Verdict& verdict) {
  using Answer = Breaker::Answer;
  const bool untouched = response.fault == Fault::unsent || response.fault == Fault::unprocessed;
  if (untouched) return Answer::unsent;
  if (verdict.kind == Kind::unconfirmed) return Answer::doubt;
  if (response.fault != Fault::none) return Answer::failure;
  if (is_busy(response, verdict)) return Answer::busy;
  if (is_failure(response, verdict)) return Answer::failure;
  const bool says_no = verdict.kind == Kind::sign_in || verdict.kind == Kind::pause ||
                       verdict.kind == Kind::pause_subscription || may_be_of_all(verdict);
  return says_no ? Answer::refused : Answer::good;
}

void Dispatcher::State::watch(const Answered& answered) {
  Target& target = targets.of(answered.url);
  const Breaker::Answer answer = answer_of(answered.response, answered.verdict);
  const std::size_t record = std::hash<std::string_view>()(deliveries.at(answered.call).event_id());
  target.breaker.answered(answered.call, answer, record, answered.now_s, *random);
  if (answer >= Breaker::Answer::failure) {
    target.code = answered.verdict.code;
    target.message = answered.verdict.message;
  }
  if (answer == Breaker::Answer::good) busy_answers = busy_waits = 0;
  if (answer == Breaker::Answer::busy) back_off(answered);
  if (answer == Breaker::Answer::doubt) watch_doubts(target);
  watch_refusals(answered, answer == Breaker::Answer::good);
}

void Dispatcher::State::watch_doubts(const Target& target) {
  if (!target.breaker.is_doubtful()) return;
  pause_with(pause_of(
      Kind::pause, "E531",
      "the last " + counted(target.breaker.doubts(), "request") + " to " + target.origin +
          " had no answer that tells their outcome: " + target.message,
      "operator: look at what stands between here and the destination, then deliver again; look at "
      "what is unconfirmed"));
}

// A target that asks for fewer requests, and not for how long, is left alone for as long as a
// record would wait; again and again with nothing good between, longer each time.
void Dispatcher::State::back_off(const Answered& answered) {
  if (answered.verdict.wait_s) return;
  if (busy_answers++ == 0) busy_since_s = answered.now_s;
  const bool is_news = answered.now_s >= governor.free_at_s();
  if (busy_answers < kBusyInARow || !is_news) return;
  const double longest_s = std::max(retry.wait_initial_s, (answered.now_s - busy_since_s) / 2);
  const double wait_s = std::min(longest_s, jittered_s(retry, ++busy_waits, *random));
  governor.hold_until(answered.now_s + wait_s, answered.now_s);
}

// -- refusals

std::string Dispatcher::State::place_of(Id id, const Verdict& verdict) {
  Delivery& delivery = deliveries.at(id);
  const std::string& url = delivery.request(*protocol).url;
  return place(delivery.subscription(), verdict.about == About::address ? url : origin_of(url));
}

void Dispatcher::State::watch_refusals(const Answered& answered, bool is_good) {
  const Verdict& verdict = answered.verdict;
  if (is_good && !refusals.empty()) {
    const std::uint32_t subscription = deliveries.at(answered.call).subscription();
    refusals.clear(kEverywhere);
    tell_refused(refusals.clear(place(subscription, answered.url)));
    tell_refused(refusals.clear(place(subscription, origin_of(answered.url))));
  }
  if (!may_be_of_all(verdict)) return;
  const bool everywhere = verdict.about == About::destination;
  if (!everywhere) refusals.clear(kEverywhere);
  if (everywhere && count_refusal(kEverywhere, verdict) >= kRefusedAlike) {
    return pause_with(pause_of(Kind::pause, verdict.code,
                               "the destination " + met(kRefusedAlike, verdict),
                               verdict.action_needed));
  }
  if (breaker.refusals == 0) return;
  const int calls = count_refusal(place_of(answered.call, verdict), verdict);
  if (calls >= breaker.refusals) refuse_all(answered, calls);
}

int Dispatcher::State::count_refusal(const std::string& at, const Verdict& verdict) {
  Refusals::Ids cleared;
  const int calls = refusals.refused(at, verdict.code, cleared);
  tell_refused(cleared);
  return calls;
}

// The subscription is given up for this run.
void Dispatcher::State::refuse_all(const Answered& answered, int calls) {
  const Verdict& verdict = answered.verdict;
  const std::string where = verdict.about == About::address ? "the address " : "the host ";
  pause_subscription(
      deliveries.at(answered.call).subscription(),
      pause_of(Kind::pause_subscription, verdict.code, where + met(calls, verdict),
               verdict.action_needed + "; or set delivery.breaker.refusals to 0 if these records "
                                       "are at fault"));
  for (const Id id : refusals.clear(place_of(answered.call, verdict))) wait_for_subscription(id);
}

// It waits for what others come to, as far as there is room for those.
void Dispatcher::State::suspect(Id id, const Verdict& verdict) {
  if (paused_subscriptions.contains(deliveries.at(id).subscription())) {
    return wait_for_subscription(id);
  }
  if (verdict.about != About::destination && breaker.refusals == 0) return give_up(id, "rejected");
  refusals.suspect(place_of(id, verdict), id);
  const std::size_t most = std::max<std::size_t>(1, most_held() / 2);
  if (refusals.suspects() > most) give_up(refusals.take_oldest(), "rejected");
}

// Nothing else is left to ask. Where nothing of the destination ever answered, it refused nobody.
void Dispatcher::State::tell_suspects() {
  const auto is_foreign = [this](Id id) { return deliveries.at(id).verdict().foreign; };
  const Refusals::Ids ids = refusals.take_all();
  const auto foreign = std::find_if(ids.begin(), ids.end(), is_foreign);
  const bool never_good =
      std::none_of(targets.all().begin(), targets.all().end(),
                   [](const auto& one) { return one.second.breaker.trusted(); });
  if (foreign == ids.end() || !never_good) return tell_refused(ids);
  const Verdict& verdict = deliveries.at(*foreign).verdict();
  pause_with(pause_of(Kind::pause, verdict.code, verdict.message, verdict.action_needed));
  for (const Id id : ids) {
    if (is_foreign(id)) {
      tell(id, "waiting");
    } else {
      give_up(id, "rejected");
    }
  }
}

void Dispatcher::State::tell_refused(const std::vector<Id>& ids) {
  for (const Id id : ids) give_up(id, "rejected");
}

// -- targets that are open

// A run goes on for as long as a record is tried.
void Dispatcher::State::end_what_stays_ill() {
  if (!may_start()) return;
  const double now_s = clock->monotonic_s();
  if (busy_answers > 0 && now_s - busy_since_s >= retry.max_elapsed_s) {
    return pause_with(ill("the destination asked for fewer requests"));
  }
  const Target* longest = nullptr;
  for (const auto& [origin, target] : targets.all()) {
    if (!target.breaker.is_open()) return;
    if (target.breaker.ill_here_s(now_s) >= retry.max_elapsed_s) longest = &target;
  }
  if (longest) pause_with(ill(longest->origin + " failed", longest->message));
}

// One that waits for its target, while others may go on: in its place as long as that leaves room.
void Dispatcher::State::hold(Id id, Target& target, double now_s) {
  const Delivery& delivery = deliveries.at(id);
  const bool stays = targets.only() || target.held.size() < most_held() / 4 ||
                     !delivery.order_key().empty() || delivery.asks();
  if (stays) {
    targets.hold(id, target);
    return;
  }
  const double next_s = target.breaker.next_start_s(now_s);
  const double wait_s = std::max(retry.wait_initial_s, next_s - now_s);
  tell(id, "waiting");
  told.back().retry_in_s = std::min(wait_s, retry.wait_max_s);
}

void Dispatcher::State::take_up_held(double now_s) {
  for (Target* const target : std::vector<Target*>(targets.holding())) {
    if (!target->breaker.may_start(now_s)) continue;
    const bool all = target->breaker.trusted() && !target->breaker.is_open();
    const std::vector<Id> taken = targets.take_held(*target, all ? target->held.size() : 1);
    ready.insert(ready.begin(), taken.begin(), taken.end());
  }
}

double Dispatcher::State::next_held_s(double now_s) const {
  double at_s = std::numeric_limits<double>::infinity();
  for (const Target* target : targets.holding()) {
    at_s = std::min(at_s, std::max(target->breaker.next_start_s(now_s), governor.next_start_s()));
  }
  return at_s;
}

}  // namespace fieldpost
