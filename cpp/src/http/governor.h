// How fast: never more than max_in_flight calls on the wire, no more starts in any window than the
// budget, no more of the destination's working time than it gives, and none at all while the
// destination asked everybody to wait. It sends nothing and knows no clock: times are given to it.
// One thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "fieldpost/policy.h"
#include "http/adaptive_limit.h"
#include "http/execution_budget.h"

namespace fieldpost {

class Governor {
 public:
  // Throws std::invalid_argument where a limit cannot be kept.
  explicit Governor(const Limits& limits);

  bool may_start(double now_s) const noexcept {
    return in_flight_ < in_flight_limit() && now_s >= next_start_s();
  }
  // When waits and the budget allow the next start; not before, however few are in flight.
  double next_start_s() const noexcept;
  void started(double now_s);  // REQUIRES: may_start(now_s); throws std::logic_error otherwise

  // A call ended: with an answer, with one that says "too much", or without any. How long a pack of
  // records took depends on their number, so it says nothing of the destination's state.
  enum class End { answered, pack_answered, busy, silent };
  void ended(End end, double started_s, double now_s);  // REQUIRES: in_flight() > 0

  // The destination recommends so many calls at once: a place to begin, once.
  void begin_at(int in_flight) noexcept;
  // It says that more of its working time was used than it gives.
  void time_exceeded(double now_s) { execution_.exceeded(now_s); }

  // Nobody starts before then. Only ever moves the time further away.
  void hold_until(double time_s, double now_s) noexcept {
    if (time_s <= free_at_s_) return;
    held_s_ += std::max(0.0, time_s - std::max(free_at_s_, now_s));
    free_at_s_ = time_s;
  }
  // How long nobody might start so far, for that reason.
  double held_for_s(double now_s) const noexcept {
    return held_s_ - std::max(0.0, free_at_s_ - now_s);
  }

  // This process's part where several share the target: both are at most what Limits said.
  // What is in flight beyond a smaller part is let end. starts: in all, however long it takes;
  // negative for no bound.
  void allow(int max_in_flight, int requests_per_window, std::int64_t starts = -1) noexcept;

  double free_at_s() const noexcept { return free_at_s_; }
  int in_flight() const noexcept { return in_flight_; }
  int in_flight_limit() const noexcept;

 private:
  Limits limits_;
  AdaptiveLimit adaptive_;
  ExecutionBudget execution_;
  bool begun_ = false;
  int allowed_in_flight_;
  int allowed_requests_;
  std::int64_t allowed_starts_ = -1;
  std::int64_t all_starts_ = 0;
  int in_flight_ = 0;
  double free_at_s_ = 0;
  double held_s_ = 0;            // up to free_at_s_
  std::deque<double> starts_s_;  // the latest, as many as the budget has
};

}  // namespace fieldpost
