// What a dispatcher holds, and the steps of its loop. dispatcher.cc turns the loop and starts
// requests, packs.cc puts several records into one of them, decisions.cc says what follows from
// an answer for its record, openings.cc for all others.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "dispatch/deliveries.h"
#include "dispatch/lanes.h"
#include "dispatch/refusals.h"
#include "dispatch/secrets.h"
#include "dispatch/targets.h"
#include "dispatch/traffic.h"
#include "fieldpost/dispatcher.h"
#include "http/governor.h"

namespace fieldpost {

using Id = Deliveries::Id;

struct Due {
  double at_s;
  Id id;
  bool operator>(const Due& other) const noexcept { return at_s > other.at_s; }
};

using Retries = std::priority_queue<Due, std::vector<Due>, std::greater<>>;

// It asks for fewer calls. A 503 without a wait is a failure like any other.
inline bool is_busy(const Response& response, const Verdict& verdict) {
  return response.status == 429 || verdict.http_status == 429 || verdict.wait_s.value_or(0) > 0;
}

// How an answer counts for its target.
Breaker::Answer answer_of(const Response& response, const Verdict& verdict);

inline Governor::End end_of(const Response& response, bool busy, std::size_t records = 1) {
  if (response.fault != Fault::none) return Governor::End::silent;
  if (busy) return Governor::End::busy;
  return records > 1 ? Governor::End::pack_answered : Governor::End::answered;
}

// When answers came that came together.
struct Moment {
  double s;  // of the clock that never jumps
  double unix_s;
};

// An answer as the watch over its target sees it.
struct Answered {
  Id call;
  const std::string& url;
  const Response& response;
  const Verdict& verdict;  // of several, the best
  double now_s;
};

// A call on the wire that carries several records.
struct Pack {
  std::vector<Id> members;
  Call call;
  std::string key;  // that its members had in common
};

// Each delivery is in exactly one place: fresh, ready, starting, retries, parked, held for its
// target, a suspect, on the wire, or in a lane behind another.
struct Dispatcher::State {
  State(std::unique_ptr<Protocol> its_protocol, std::unique_ptr<Transport> its_transport,
        RetryPolicy its_retry, Limits its_limits, const BreakerPolicy& its_breaker,
        std::shared_ptr<const Clock> its_clock, std::shared_ptr<Random> its_random)
      : protocol(std::move(its_protocol)),
        retry(std::move(its_retry)),
        limits(its_limits),
        breaker(its_breaker),
        clock(std::move(its_clock)),
        random(std::move(its_random)),
        governor(limits),
        targets(breaker, retry, protocol->addresses()),
        transport(std::move(its_transport)) {}

  void check_process() const;
  void offer(std::shared_ptr<const Batch> batch, const std::vector<Offer>& offers);
  std::vector<Outcome> settle(double timeout_s);

  bool closed() const noexcept { return stopped || !pause.code.empty() || used_up(); }
  // All operations that it may start are started, or fewer are left than the next one takes.
  bool used_up() const noexcept { return too_few_left || operations >= limits.operations; }
  bool may_gather() const;
  bool may_start() const { return !closed() && !token_wanted; }
  void start_what_may();
  std::optional<Id> next(double now_s);
  void start(Id id, double now_s);
  std::vector<Header> signatures(const Call& call) const;
  void send(Id id, Request& request, std::vector<Header> signatures, double now_s);
  void start_together(Id id, const Protocol::Together& together, double now_s);
  void gather(Id id, const Protocol::Together& together);
  std::vector<const Call*> calls_of(const std::vector<Id>& members);
  std::size_t most_held() const {
    return 2 * static_cast<std::size_t>(limits.max_in_flight) * protocol->most_together();
  }
  double seconds_to_next_start() const;

  void complete(const Completion& completion, const Moment& now);
  void complete_together(const Pack& pack, const Response& response, const Moment& now);
  bool goes_otherwise(Delivery& delivery, const Pack& pack) const;
  void learn(const Pack& pack, const Response& response);
  void decide(Id id, const Verdict& verdict);
  void try_again(Id id, const Verdict& verdict);
  void wait_to_try(Id id, double wait_s);
  bool ask_later(Id id, const Verdict& verdict);  // the last question; false: no time is left
  bool retries_take(Id id) const;
  void give_up(Id id, std::string outcome);
  bool concluded(Id id, const Verdict& verdict);
  void sign_in(Id id, const Verdict& verdict);
  void watch(const Answered& answered);
  void watch_doubts(const Target& target);
  void watch_refusals(const Answered& answered, bool is_good);
  int count_refusal(const std::string& at, const Verdict& verdict);
  void refuse_all(const Answered& answered, int calls);
  void back_off(const Answered& answered);
  void end_what_stays_ill();
  void hold(Id id, Target& target, double now_s);
  void take_up_held(double now_s);
  double next_held_s(double now_s) const;
  void suspect(Id id, const Verdict& verdict);
  std::string place_of(Id id, const Verdict& verdict);
  void tell_suspects();
  void tell_refused(const std::vector<Id>& ids);
  const Verdict* held_by(const Delivery& delivery) const;
  void pause_subscription(std::uint32_t subscription, const Verdict& why);
  void wait_for_subscription(Id id);
  void pause_with(Verdict why);
  void return_what_waits();
  void tell(Id id, std::string outcome);

  std::unique_ptr<Protocol> protocol;
  RetryPolicy retry;
  Limits limits;
  BreakerPolicy breaker;
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<Random> random;
  Governor governor;
  Targets targets;

  std::uint64_t process = 0;             // that made the first offer
  Deliveries deliveries;                 // offered and not yet told
  Lanes lanes;                           // of those with an order key
  std::deque<Id> fresh;                  // never started
  std::deque<Id> ready;                  // questions, and what comes back from a sign-in
  std::map<Id, Pack> packs;              // on the wire with others, by the first of each
  std::unique_ptr<Transport> transport;  // reads what the deliveries keep: it goes before them
  std::vector<Id> starting;              // taken from where they waited, and not on the wire yet
  Retries retries;
  std::vector<Id> parked;  // until authorize()
  Refusals refusals;
  std::vector<Outcome> told;

  Secrets secrets;
  Header signature;
  SigningKeys keys;
  std::uint64_t started = 0;     // requests
  std::uint64_t operations = 0;  // in them, as the destination counts
  bool too_few_left = false;     // for a record of several operations
  TrafficCounter counter;
  Trouble trouble;
  std::uint64_t token = 0;  // counts authorize()
  bool token_wanted = false;
  bool stopped = false;
  Verdict pause;  // code "" while not paused
  std::unordered_map<std::uint32_t, Verdict> paused_subscriptions;
  int busy_waits = 0;    // that were made for want of one the target asked for
  int busy_answers = 0;  // in a row
  double busy_since_s = 0;
  // Records of one answer wait for the same time, so that they go together again.
  std::optional<double> common_wait_s;
};

}  // namespace fieldpost
