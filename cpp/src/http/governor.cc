#include "http/governor.h"

#include <limits>
#include <stdexcept>

namespace fieldpost {

namespace {

// The service counts requests as they arrive: two that left a window apart may arrive closer.
constexpr double kWindowMargin = 0.015;
constexpr double kLeastMargin_s = 0.01;

double spaced_s(double window_s) {
  return window_s + std::max(kLeastMargin_s, kWindowMargin * window_s);
}

}  // namespace

Governor::Governor(const Limits& limits)
    : limits_(limits),
      adaptive_(limits.start_in_flight > 0 ? std::min(limits.start_in_flight, limits.max_in_flight)
                                           : limits.max_in_flight,
                limits.max_in_flight),
      execution_(limits.execution_s, spaced_s(limits.execution_window_s)),
      allowed_in_flight_(limits.max_in_flight),
      allowed_requests_(limits.requests_per_window) {
  if (limits.max_in_flight < 1) throw std::invalid_argument("max_in_flight must be at least 1");
  if (limits.requests_per_window < 0 || limits.window_s <= 0 || limits.execution_s < 0 ||
      limits.execution_window_s <= 0) {
    throw std::invalid_argument("a budget is a number of requests in so many seconds");
  }
}

int Governor::in_flight_limit() const noexcept {
  const int allowed = execution_.in_flight_limit(allowed_in_flight_);
  return limits_.adaptive ? std::min(allowed, adaptive_.limit()) : allowed;
}

double Governor::next_start_s() const noexcept {
  if (allowed_starts_ >= 0 && all_starts_ >= allowed_starts_) {
    return std::numeric_limits<double>::infinity();
  }
  const double free_at_s = std::max(free_at_s_, execution_.next_start_s(in_flight_));
  if (limits_.requests_per_window == 0) return free_at_s;
  if (allowed_requests_ == 0) return std::numeric_limits<double>::infinity();
  const auto budget = static_cast<std::size_t>(allowed_requests_);
  if (starts_s_.size() < budget) return free_at_s;
  const double counted_s = starts_s_[starts_s_.size() - budget];
  return std::max(free_at_s, counted_s + spaced_s(limits_.window_s));
}

void Governor::begin_at(int in_flight) noexcept {
  if (begun_ || limits_.start_in_flight == 0 || in_flight < 1) return;
  begun_ = true;
  adaptive_ = AdaptiveLimit(std::min(in_flight, limits_.max_in_flight), limits_.max_in_flight);
}

void Governor::started(double now_s) {
  if (!may_start(now_s)) throw std::logic_error("a call started that may not");
  ++in_flight_;
  ++all_starts_;
  if (limits_.requests_per_window == 0) return;
  starts_s_.push_back(now_s);
  if (starts_s_.size() > static_cast<std::size_t>(limits_.requests_per_window)) {
    starts_s_.pop_front();
  }
}

void Governor::ended(End end, double started_s, double now_s) {
  if (in_flight_ == 0) throw std::logic_error("a call ended that was not started");
  if (end == End::busy) adaptive_.busy(started_s, now_s);
  if (end == End::answered) adaptive_.answered(now_s - started_s, in_flight_);
  if (end == End::pack_answered) adaptive_.pack_answered(in_flight_);
  if (end != End::busy) execution_.ended(now_s - started_s, now_s);  // what is refused is not run
  --in_flight_;
}

void Governor::allow(int max_in_flight, int requests_per_window, std::int64_t starts) noexcept {
  allowed_starts_ = starts;
  allowed_in_flight_ = std::clamp(max_in_flight, 0, limits_.max_in_flight);
  allowed_requests_ = std::clamp(requests_per_window, 0, limits_.requests_per_window);
  execution_.share(static_cast<double>(allowed_in_flight_) / limits_.max_in_flight);
}

}  // namespace fieldpost
