#include "http/retry.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace fieldpost {

double jittered_s(const RetryPolicy& policy, int tries, Random& random) {
  const double doubled = policy.wait_initial_s * std::exp2(std::clamp(tries - 1, 0, 60));
  return random.uniform() * std::min(policy.wait_max_s, doubled);
}

std::optional<double> next_wait_s(const RetryPolicy& policy, const Tries& tries,
                                  std::optional<double> retry_after_s, Random& random) {
  const double left_s = policy.max_elapsed_s - tries.elapsed_s;
  if (left_s <= 0) return std::nullopt;
  if (policy.max_attempts > 0 && tries.in_all >= policy.max_attempts) return std::nullopt;
  if (retry_after_s == 0) return 0;
  const double own_s = std::min(left_s, jittered_s(policy, tries.in_this_run, random));
  if (!retry_after_s) return own_s;
  const double asked_s = std::clamp(*retry_after_s, 0.0, kLongestRetryAfter_s);
  if (asked_s > left_s && asked_s <= kLongestWait_s) return std::nullopt;
  return std::max(asked_s, own_s);
}

}  // namespace fieldpost
