// Counts what is told, so that nobody has to look at each outcome for it. One thread at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fieldpost/dispatcher.h"

namespace fieldpost {

class TrafficCounter {
 public:
  // `attempts`: of this run. What waits has no latency yet.
  void told(std::uint32_t subscription, int attempts, const Outcome& outcome) {
    if (subscription >= traffic_.size()) traffic_.resize(subscription + 1);
    Traffic& traffic = traffic_[subscription];
    traffic.attempts += static_cast<std::uint64_t>(attempts);
    if (attempts == 0 || outcome.outcome == "waiting") return;
    if (traffic.latencies.empty()) traffic.latencies.resize(Traffic::kBuckets);
    ++traffic.latencies[bucket_of(outcome.latency_ms)];
  }

  const std::vector<Traffic>& traffic() const noexcept { return traffic_; }

  static std::size_t bucket_of(double latency_ms) {
    if (!(latency_ms > Traffic::kLeast_ms)) return 0;
    const double bucket =
        std::ceil(Traffic::kPerDoubling * std::log2(latency_ms / Traffic::kLeast_ms));
    return std::min(static_cast<std::size_t>(bucket), Traffic::kBuckets - 1);
  }

 private:
  std::vector<Traffic> traffic_;  // by subscription
};

}  // namespace fieldpost
