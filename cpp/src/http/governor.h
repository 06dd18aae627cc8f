// How fast: never more than max_in_flight calls on the wire, and none at all while the destination
// asked everybody to wait. It sends nothing and knows no clock: times are given to it.
// One thread at a time.
#pragma once

#include <algorithm>

namespace fieldpost {

class Governor {
 public:
  explicit Governor(int max_in_flight);

  bool may_start(double now_s) const noexcept {
    return in_flight_ < max_in_flight_ && now_s >= free_at_s_;
  }
  void started();  // REQUIRES: may_start(); throws std::logic_error otherwise
  void ended();    // REQUIRES: in_flight() > 0; throws std::logic_error otherwise

  // Nobody starts before then. Only ever moves the time further away.
  void hold_until(double time_s) noexcept { free_at_s_ = std::max(free_at_s_, time_s); }

  double free_at_s() const noexcept { return free_at_s_; }
  int in_flight() const noexcept { return in_flight_; }
  int max_in_flight() const noexcept { return max_in_flight_; }

 private:
  int max_in_flight_;
  int in_flight_ = 0;
  double free_at_s_ = 0;
};

}  // namespace fieldpost
