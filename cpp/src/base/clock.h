// The only door to time. Tests use ManualClock.
#pragma once

namespace fieldpost {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual double monotonic_s() const = 0;  // for intervals
  virtual double unix_s() const = 0;       // for dates
};

class SystemClock final : public Clock {
 public:
  double monotonic_s() const override;
  double unix_s() const override;
};

class ManualClock final : public Clock {
 public:
  double monotonic_s() const override { return now_s_; }
  double unix_s() const override { return 1.7e9 + now_s_; }
  void advance(double seconds) { now_s_ += seconds; }

 private:
  double now_s_ = 0;
};

}  // namespace fieldpost
