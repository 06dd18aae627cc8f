#include "http/adaptive_limit.h"

#include <algorithm>

namespace fieldpost {

namespace {

constexpr double kCutWhenBusy = 2.0 / 3.0;
constexpr double kCutWhenSlow = 0.9;
constexpr double kSlowFactor = 3;      // times the usual latency,
constexpr double kSlowSlack_s = 0.05;  // and so much more: a loaded machine is no slow service
constexpr double kFallWeight = 0.5;
constexpr double kRiseWeight = 0.02;

}  // namespace

void AdaptiveLimit::answered(double latency_s, int in_flight) {
  sum_s_ += latency_s;
  limited_ = limited_ || in_flight >= limit();
  if (++answers_ >= limit()) end_round();
}

void AdaptiveLimit::pack_answered(int in_flight) {
  limited_ = limited_ || in_flight >= limit();
  if (++answers_ < limit()) return;
  if (limited_) limit_ = std::min<double>(most_, limit_ + 1);
  sum_s_ = 0;
  answers_ = 0;
  limited_ = false;
}

void AdaptiveLimit::end_round() {
  const double mean_s = sum_s_ / answers_;
  if (usual_s_ == 0) usual_s_ = mean_s;
  if (mean_s > kSlowFactor * usual_s_ + kSlowSlack_s) {
    limit_ = std::max(1.0, limit_ * kCutWhenSlow);
  } else if (limited_) {
    limit_ = std::min<double>(most_, limit_ + 1);
  }
  usual_s_ += (mean_s - usual_s_) * (mean_s < usual_s_ ? kFallWeight : kRiseWeight);
  sum_s_ = 0;
  answers_ = 0;
  limited_ = false;
}

void AdaptiveLimit::busy(double started_s, double now_s) {
  if (started_s <= cut_at_s_) return;
  limit_ = std::max(1.0, limit_ * kCutWhenBusy);
  cut_at_s_ = now_s;
  sum_s_ = 0;
  answers_ = 0;
  limited_ = false;
}

}  // namespace fieldpost
