// A destination's allowance of its own working time: so many seconds in any window of so many.
//
// A call counts when it ends. What it takes is measured from here, so a little more is counted than
// the destination counts. Calls on the wire count as the slow ones of late, and end no sooner than
// the quick ones. It knows no clock: times are given to
// it. One thread at a time.
#pragma once

#include <deque>

namespace fieldpost {

class ExecutionBudget {
 public:
  // limit_s 0: there is none.
  ExecutionBudget(double limit_s, double window_s) : limit_s_(limit_s), window_s_(window_s) {}

  // When the time that was spent leaves room for one more call beside those on the wire.
  double next_start_s(int in_flight) const noexcept;
  // Beyond half of the allowance, no more calls at once than it lasts for: what is used up in a
  // burst is waited for afterwards.
  int in_flight_limit(int wanted) const noexcept;

  void ended(double spent_s, double now_s);
  // The destination counted more than was counted here.
  void exceeded(double now_s);
  void share(double part) noexcept { part_ = part; }  // this process's, 0 to 1

 private:
  struct Spent {
    double at_s;
    double seconds;
  };

  double allowed_s() const noexcept { return limit_s_ * part_ * belief_; }
  void forget(double before_s);

  double limit_s_;
  double window_s_;
  double part_ = 1;
  double belief_ = 1;  // in the limit, less each time the destination says it is exceeded
  std::deque<Spent> spent_;
  double sum_s_ = 0;
  double slow_s_ = 0;    // of a slow call of late
  double quick_s_ = 0;   // of a quick one
  bool rising_ = false;  // the last one was slower than any of late
};

}  // namespace fieldpost
