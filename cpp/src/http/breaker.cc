#include "http/breaker.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/random.h"

namespace fieldpost {

namespace {

constexpr double kNever_s = std::numeric_limits<double>::infinity();
// One more of them for each second without an answer, so that a slow target is not waited for.
constexpr double kPatience_s = 1;
// Failures over fewer records may be the records' fault.
constexpr std::size_t kSeveral = 4;
// Connections that a server closes while they idle break together: many at once mean nothing.
constexpr int kUnsentForFailure = 4;
constexpr int kWindow = 64;  // answers that a share is taken of

}  // namespace

double Breaker::next_start_s(double now_s) const noexcept {
  if (opening_) return probe_ ? kNever_s : opening_->next_probe_s;
  if (trusted_ || policy_.untrusted == 0 || !first_start_s_) return 0;
  const double waited = std::floor((now_s - *first_start_s_) / kPatience_s);
  const double allowed = 1 + static_cast<double>(answers_) + waited;
  if (in_flight_ < std::min<double>(allowed, policy_.untrusted)) return 0;
  if (allowed >= policy_.untrusted) return kNever_s;
  const double missing = in_flight_ + 1 - allowed;
  return *first_start_s_ + (waited + missing) * kPatience_s;
}

void Breaker::started(std::uint64_t call, double now_s) noexcept {
  ++in_flight_;
  if (!first_start_s_) first_start_s_ = now_s;
  if (opening_ && !probe_) probe_ = call;
}

void Breaker::answered(std::uint64_t call, Answer answer, std::uint64_t record, double now_s,
                       Random& random) {
  --in_flight_;
  ++answers_;
  const bool is_probe = probe_ == call;
  if (is_probe) probe_.reset();
  if (answer == Answer::good || answer == Answer::refused) well_s_ = now_s;
  switch (answer) {
    case Answer::good:
      trusted_ = true;
      note(false);
      recover();
      break;
    case Answer::refused:
      recover();
      break;
    case Answer::busy:
      if (is_probe) recover();
      break;
    case Answer::failure:
      note(true);
      fail(is_probe, record, now_s, random);
      break;
    case Answer::unsent:
      if (is_probe || ++unsent_ % kUnsentForFailure == 0) fail(is_probe, record, now_s, random);
      break;
    case Answer::doubt:
      ++doubts_;
      if (is_probe) postpone_probe(now_s, random);
  }
}

void Breaker::fail(bool is_probe, std::uint64_t record, double now_s, Random& random) {
  if (failures_++ == 0) failing_since_s_ = now_s;
  if (records_.size() < kSeveral) records_.insert(record);
  if (is_probe) {
    postpone_probe(now_s, random);
  } else if (!opening_ && fails_as_a_whole()) {
    open(now_s, random);
  }
}

bool Breaker::fails_as_a_whole() const noexcept {
  if (policy_.failures == 0) return false;
  if (others_) return true;  // the first answer of this run is what the others had
  if (records_.size() < kSeveral) return false;
  if (failures_ >= policy_.failures) return true;
  return known_ == kWindow && std::popcount(latest_) >= policy_.share * kWindow;
}

void Breaker::open(double now_s, Random& random) {
  if (!ill_since_s_) ill_since_s_ = others_ ? others_->since_s : failing_since_s_;
  others_.reset();
  known_ = 0;
  opening_ = Opening{*ill_since_s_, now_s};
  postpone_probe(now_s, random);
}

// With full jitter, and never longer than half of the time that the target was ill: so it is found
// well soon enough for how long it was away, and a long illness meets few probes.
void Breaker::postpone_probe(double now_s, Random& random) {
  if (!opening_) return;
  const double ill_s = now_s - opening_->since_s;
  const double most_s = std::min(wait_max_s_, std::max(wait_initial_s_, ill_s / 2));
  opening_->next_probe_s = now_s + random.uniform() * most_s;
}

void Breaker::recover() noexcept {
  if (opening_) {
    opening_.reset();
    probe_.reset();
    recovering_ = policy_.failures;
  } else if (ill_since_s_ && --recovering_ <= 0) {
    ill_since_s_.reset();
  }
  failures_ = unsent_ = doubts_ = 0;
  records_.clear();
  others_.reset();
}

void Breaker::note(bool failed) noexcept {
  latest_ = latest_ << 1 | (failed ? 1 : 0);
  known_ = std::min(known_ + 1, kWindow);
}

void Breaker::follow(const Opening& others) noexcept {
  if (policy_.failures == 0) return;
  if (answers_ == 0) {
    others_ = others;
  } else if (!opening_) {
    if (!ill_since_s_) ill_since_s_ = others.since_s;
    opening_ = Opening{*ill_since_s_, others.next_probe_s};
  } else if (!probe_) {
    opening_->next_probe_s = std::max(opening_->next_probe_s, others.next_probe_s);
  }
}

void Breaker::release() noexcept { recover(); }

}  // namespace fieldpost
