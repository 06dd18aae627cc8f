// How many calls at once a destination bears, learned from its answers: one more for each round
// that went well, a third fewer when it says that it is busy, a tenth fewer when its answers get
// slow. A round is as many answers as the limit allows at once.
//
// It knows no clock: times are given to it. One thread at a time.
#pragma once

namespace fieldpost {

class AdaptiveLimit {
 public:
  // REQUIRES: 1 <= start <= most.
  AdaptiveLimit(int start, int most) : limit_(start), most_(most) {}

  // An answer to a call that took `latency_s`, while `in_flight` calls (it among them) were out.
  void answered(double latency_s, int in_flight);
  // The same of a call whose latency says nothing.
  void pack_answered(int in_flight);
  // 429, 503 or the protocol's own word for it. Calls that were out when the limit was cut say
  // nothing new.
  void busy(double started_s, double now_s);

  int limit() const noexcept { return static_cast<int>(limit_); }

 private:
  void end_round();

  double limit_;
  int most_;
  double cut_at_s_ = -1;
  double usual_s_ = 0;  // latency, quick to fall and slow to rise; 0: not known yet
  double sum_s_ = 0;    // of this round
  int answers_ = 0;
  bool limited_ = false;  // the limit was reached in this round
};

}  // namespace fieldpost
