// How delivery behaves over time: values with defaults, no behaviour.
#pragma once

#include <cstdint>
#include <set>

namespace fieldpost {

struct RetryPolicy {
  double max_elapsed_s = 14400;  // since a record's first try, over runs; then it is `expired`
  int max_attempts = 0;          // 0: no limit but the time
  double wait_initial_s = 1;     // full jitter: uniform in [0, min(wait_max, initial * 2^n)]
  double wait_max_s = 300;
  std::set<int> statuses = {408, 425, 429, 500, 502, 503, 504};
};

// A run ends rather than wait longer for its destination; what it holds is for the next one.
inline constexpr double kLongestWait_s = 3600;

struct Limits {
  int max_in_flight = 16;       // calls on the wire at once; an invariant
  int start_in_flight = 0;      // where the adaptive limit begins; 0: at max_in_flight
  bool adaptive = true;         // fewer at once while the destination is busy or slow
  int requests_per_window = 0;  // 0: no budget
  double window_s = 1;
  double execution_s = 0;  // of the destination's working time; 0: no budget
  double execution_window_s = 300;
  std::uint64_t operations = UINT64_MAX;  // that may be started in all, one for each record
};

// When it is not the record's fault: calls in a row without a good answer between. 0: never.
struct BreakerPolicy {
  int failures = 16;   // for now, over several records: the target is probed, not hammered
  double share = 0.9;  // the same of the latest 64 answers, 0 to 1
  int doubts = 10;     // requests that left and had no whole answer: the run ends
  int refusals = 16;   // the same refusal of one address to different records: it is sent no more
  int untrusted = 8;   // calls at once, beginning with one, until the first good answer; 0: any
};

}  // namespace fieldpost
