// When a call is sent again: exponential waits with full jitter, or what the destination asked for.
// Not whether (the protocol's question), not how fast the others may go on (the governor's).
// Pure functions; calls may overlap as far as each has its own Random.
#pragma once

#include <optional>

#include "fieldpost/policy.h"

namespace fieldpost {

class Random;

// The longest Retry-After believed; a longer one is a mistake of somebody's clock or proxy.
inline constexpr double kLongestRetryAfter_s = 86400;

// What has been tried of one record.
struct Tries {
  int in_all = 1;        // over runs
  int in_this_run = 1;   // in all offers of it
  double elapsed_s = 0;  // since the first try, over runs
};

// Seconds to the next attempt; nothing where the record is `expired`. A wait that would end beyond
// max_elapsed_s is cut, so that the last attempt falls on the limit. A Retry-After is a lower bound
// of the wait; it is never cut, and one that no run waits for lets no record expire. A
// retry_after_s of 0 is the protocol's own: at once.
std::optional<double> next_wait_s(const RetryPolicy& policy, const Tries& tries,
                                  std::optional<double> retry_after_s, Random& random);

// Full jitter: uniform from 0 to the first wait doubled with each further try, at most wait_max_s.
double jittered_s(const RetryPolicy& policy, int tries, Random& random);

}  // namespace fieldpost
