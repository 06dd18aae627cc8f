#include "http/execution_budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fieldpost {

namespace {

constexpr double kWeight = 0.2;
constexpr double kRising = 1.2;
constexpr double kRise = 2;  // growing packs take up to twofold longer from one to the next
constexpr double kCut = 0.95;
constexpr double kLeastBelief = 0.25;

}  // namespace

// A call that starts now is counted when it ends: by then more has left the window.
double ExecutionBudget::next_start_s(int in_flight) const noexcept {
  if (limit_s_ == 0) return 0;
  double planned_s = sum_s_ + (in_flight + 1) * slow_s_ * (rising_ ? kRise : 1);
  if (planned_s <= allowed_s()) return 0;
  for (const Spent& spent : spent_) {
    planned_s -= spent.seconds;
    if (planned_s <= allowed_s()) return spent.at_s + window_s_ - quick_s_;
  }
  if (in_flight > 0) return std::numeric_limits<double>::infinity();
  return spent_.empty() ? 0 : spent_.back().at_s + window_s_;
}

int ExecutionBudget::in_flight_limit(int wanted) const noexcept {
  if (limit_s_ == 0 || sum_s_ < allowed_s() / 2) return wanted;
  const double lasting = std::ceil(allowed_s() / window_s_);
  return std::min(wanted, static_cast<int>(lasting) + 1);
}

void ExecutionBudget::ended(double spent_s, double now_s) {
  if (limit_s_ == 0) return;
  forget(now_s - window_s_);
  spent_.push_back({now_s, spent_s});
  sum_s_ += spent_s;
  rising_ = spent_s > kRising * slow_s_;
  slow_s_ = spent_s > slow_s_ ? spent_s : slow_s_ + kWeight * (spent_s - slow_s_);
  quick_s_ = spent_s < quick_s_ ? spent_s : quick_s_ + kWeight * (spent_s - quick_s_);
}

void ExecutionBudget::exceeded(double now_s) {
  if (limit_s_ == 0) return;
  forget(now_s - window_s_);
  const double counted = sum_s_ / (limit_s_ * part_);
  belief_ = std::max(kLeastBelief, kCut * std::min(belief_, counted));
}

void ExecutionBudget::forget(double before_s) {
  while (!spent_.empty() && spent_.front().at_s <= before_s) {
    sum_s_ -= spent_.front().seconds;
    spent_.pop_front();
  }
  if (spent_.empty()) sum_s_ = 0;
}

}  // namespace fieldpost
