// Holds back a target that fails whatever record is sent. Shut: calls start. Open: none does until
// the next probe is due. Half-open: one probe, with one record, is on the wire. Good answers shut
// it. It also bounds the calls at once until a run has its first good answer, so that a wrong
// token or a dead address meets few records.
//
// One breaker belongs to one target (scheme, host and port) and one run; follow() and release()
// tell it of probes that other runs made. It sends nothing and knows no clock: times and chance
// are given to it. One thread at a time.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>

#include "fieldpost/policy.h"

namespace fieldpost {

class Random;

class Breaker {
 public:
  // How a call went, as far as its target is concerned.
  enum class Answer : std::uint8_t {
    good,     // it took the call, or refused the records for what they are
    refused,  // it is at work, but refuses for a reason that may hold for every record
    busy,     // it asked for fewer calls: the governor's
    failure,  // it failed for now, or could not be reached
    unsent,   // the connection ended before the request: mostly one that was idle too long
    doubt,    // the request left, and nobody knows more
  };
  // Open, and for how long. Times are those given to started() and answered().
  struct Opening {
    double since_s;
    double next_probe_s;
  };

  // Pauses grow as those of one record do: see RetryPolicy.
  Breaker(const BreakerPolicy& policy, double wait_initial_s, double wait_max_s) noexcept
      : policy_(policy), wait_initial_s_(wait_initial_s), wait_max_s_(wait_max_s) {}

  bool may_start(double now_s) const noexcept { return now_s >= next_start_s(now_s); }
  // Not before then; infinity where an answer has to come first.
  double next_start_s(double now_s) const noexcept;
  void started(std::uint64_t call, double now_s) noexcept;
  // `record`: what tells the first record of the call from others, the same in each try.
  // REQUIRES: started(call).
  void answered(std::uint64_t call, Answer answer, std::uint64_t record, double now_s,
                Random& random);

  bool is_open() const noexcept { return opening_.has_value(); }  // or half-open
  bool probes() const noexcept { return probe_.has_value(); }
  const std::optional<Opening>& opening() const noexcept { return opening_; }
  // So many calls in a row left a doubt that more of them would only make more doubts.
  bool is_doubtful() const noexcept { return policy_.doubts > 0 && doubts_ >= policy_.doubts; }
  int doubts() const noexcept { return doubts_; }
  // How long nothing good came in this run.
  double ill_here_s(double now_s) const noexcept {
    return failures_ > 0 ? now_s - failing_since_s_ : 0;
  }
  bool trusted() const noexcept { return trusted_; }  // it had a good answer in this run
  // When an answer of this run last showed that the target is at work.
  const std::optional<double>& well_s() const noexcept { return well_s_; }

  // Another run found the target failing. A run without any answer yet makes its first probe.
  void follow(const Opening& others) noexcept;
  // Another run's probe had a good answer.
  void release() noexcept;

 private:
  void fail(bool is_probe, std::uint64_t record, double now_s, Random& random);
  bool fails_as_a_whole() const noexcept;
  void open(double now_s, Random& random);
  void postpone_probe(double now_s, Random& random);
  void recover() noexcept;
  void note(bool failed) noexcept;

  BreakerPolicy policy_;
  double wait_initial_s_;
  double wait_max_s_;
  int in_flight_ = 0;
  std::int64_t answers_ = 0;
  std::optional<double> first_start_s_;
  bool trusted_ = false;
  std::optional<double> well_s_;
  int failures_ = 0;  // in a row, as the two below
  int unsent_ = 0;
  int doubts_ = 0;
  double failing_since_s_ = 0;       // the first of the failures in a row
  std::set<std::uint64_t> records_;  // that they met, a few of them
  std::uint64_t latest_ = 0;         // answers, the latest in the lowest bit; 1: a failure
  int known_ = 0;                    // of its bits
  std::optional<Opening> opening_;
  std::optional<std::uint64_t> probe_;  // on the wire
  std::optional<double> ill_since_s_;   // until enough good answers came
  int recovering_ = 0;                  // good answers that are still missing
  std::optional<Opening> others_;       // of another run, before this one had an answer
};

}  // namespace fieldpost
