#include "http/breaker.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace fieldpost {
namespace {

using Answer = Breaker::Answer;

class BreakerTest : public testing::Test {
 protected:
  // One call of a record of its own; REQUIRES: it may start.
  void call(Answer answer) {
    EXPECT_TRUE(breaker_.may_start(now_s_)) << "at " << now_s_;
    const std::uint64_t id = next_++;
    breaker_.started(id, now_s_);
    breaker_.answered(id, answer, records_ > 0 ? id % records_ : id, now_s_, random_);
  }
  void calls(int count, Answer answer) {
    for (int i = 0; i < count; ++i) call(answer);
  }
  // Waits for the next probe and has it answered; how long that took.
  double probe(Answer answer) {
    const double before_s = now_s_;
    now_s_ = breaker_.opening()->next_probe_s;
    call(answer);
    return now_s_ - before_s;
  }

  BreakerPolicy policy_;
  Breaker breaker_{policy_, 1, 300};
  Random random_{1};
  double now_s_ = 100;
  std::uint64_t next_ = 1;
  std::uint64_t records_ = 0;  // that calls are for; 0: each for another
};

TEST_F(BreakerTest, OpensAfterARunOfFailures) {
  calls(15, Answer::failure);
  EXPECT_FALSE(breaker_.is_open());
  call(Answer::failure);
  ASSERT_TRUE(breaker_.is_open());
  EXPECT_EQ(breaker_.opening()->since_s, 100);
  EXPECT_GE(breaker_.opening()->next_probe_s, 100);
  EXPECT_LE(breaker_.opening()->next_probe_s, 101);
}

TEST_F(BreakerTest, AGoodAnswerBetweenKeepsItShut) {
  for (int i = 0; i < 20; ++i) {
    calls(10, i % 2 == 0 ? Answer::good : Answer::failure);
  }
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, OneFailureInFiveChangesNothing) {
  call(Answer::good);
  for (int i = 0; i < 100'000; ++i) call(random_.uniform() < 0.2 ? Answer::failure : Answer::good);
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, OpensWhereNearlyAllFail) {
  policy_.failures = 1000;
  breaker_ = Breaker(policy_, 1, 300);
  for (int i = 0; i < 200 && !breaker_.is_open(); ++i) {
    call(i % 20 == 0 ? Answer::good : Answer::failure);
  }
  EXPECT_TRUE(breaker_.is_open());
}

TEST_F(BreakerTest, FailuresOfFewRecordsMayBeTheirFault) {
  records_ = 3;
  calls(100, Answer::failure);
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, RequestsToSlowDownAreTheGovernors) {
  calls(100, Answer::busy);
  EXPECT_FALSE(breaker_.is_open());
  calls(15, Answer::failure);
  calls(100, Answer::busy);
  call(Answer::failure);
  EXPECT_TRUE(breaker_.is_open()) << "they are no good answers either";
}

TEST_F(BreakerTest, ProbesWithOneCallAtATimeAndGrowingPauses) {
  calls(16, Answer::failure);
  int probes = 0;
  for (; now_s_ < 100 + 3600; ++probes) {
    EXPECT_FALSE(breaker_.may_start(breaker_.opening()->next_probe_s - 1e-6));
    now_s_ = breaker_.opening()->next_probe_s;
    breaker_.started(7, now_s_);
    EXPECT_FALSE(breaker_.may_start(now_s_ + 1000)) << "one is on the wire";
    now_s_ += 0.01;
    breaker_.answered(7, Answer::failure, 7, now_s_, random_);
    const double pause_s = breaker_.opening()->next_probe_s - now_s_;
    EXPECT_LE(pause_s, std::min(300.0, std::max(1.0, (now_s_ - 100) / 2)));
  }
  EXPECT_LT(probes, 60);
  EXPECT_GT(probes, 12);
}

TEST_F(BreakerTest, AGoodProbeShutsIt) {
  calls(16, Answer::failure);
  probe(Answer::failure);
  probe(Answer::good);
  EXPECT_FALSE(breaker_.is_open());
  calls(15, Answer::failure);
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, AnAnswerToAnEarlierCallShutsItToo) {
  call(Answer::good);
  breaker_.started(999, now_s_);
  calls(16, Answer::failure);
  ASSERT_TRUE(breaker_.is_open());
  breaker_.answered(999, Answer::good, 999, now_s_, random_);
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, LateFailuresMakeNoPauseLonger) {
  call(Answer::good);
  for (std::uint64_t id = 1000; id < 1030; ++id) breaker_.started(id, now_s_);
  for (std::uint64_t id = 1000; id < 1016; ++id) {
    breaker_.answered(id, Answer::failure, id, now_s_, random_);
  }
  const double due_s = breaker_.opening()->next_probe_s;
  for (std::uint64_t id = 1016; id < 1030; ++id) {
    breaker_.answered(id, Answer::failure, id, now_s_, random_);
  }
  EXPECT_EQ(breaker_.opening()->next_probe_s, due_s);
}

TEST_F(BreakerTest, ATargetThatFallsIllAgainAtOnceWasNeverWell) {
  calls(16, Answer::failure);
  for (int i = 0; i < 12; ++i) probe(Answer::failure);
  const double ill_s = now_s_ - 100;
  probe(Answer::good);
  calls(16, Answer::failure);
  EXPECT_EQ(breaker_.opening()->since_s, 100);
  EXPECT_GT(ill_s, 2);
  probe(Answer::good);
  calls(20, Answer::good);
  calls(16, Answer::failure);
  EXPECT_EQ(breaker_.opening()->since_s, now_s_) << "it was well between";
}

TEST_F(BreakerTest, DoubtsInARowAreTooMany) {
  calls(9, Answer::doubt);
  EXPECT_FALSE(breaker_.is_doubtful());
  call(Answer::good);
  calls(9, Answer::doubt);
  EXPECT_FALSE(breaker_.is_doubtful());
  call(Answer::doubt);
  EXPECT_TRUE(breaker_.is_doubtful());
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, ConnectionsThatEndTogetherAreNoFailures) {
  call(Answer::good);
  calls(60, Answer::unsent);
  EXPECT_FALSE(breaker_.is_open());
  calls(4, Answer::unsent);
  EXPECT_TRUE(breaker_.is_open()) << "but a target that never takes a request is ill";
}

TEST_F(BreakerTest, BeginsWithOneCallAndDoublesUntilOneIsGood) {
  std::vector<int> rounds;
  std::uint64_t id = 1;
  for (int round = 0; round < 5; ++round) {
    const std::uint64_t first = id;
    while (breaker_.may_start(now_s_)) breaker_.started(id++, now_s_);
    rounds.push_back(static_cast<int>(id - first));
    for (std::uint64_t one = first; one < id; ++one) {
      breaker_.answered(one, Answer::refused, one, now_s_, random_);
    }
  }
  EXPECT_EQ(rounds, (std::vector<int>{1, 2, 4, 8, 8}));
  call(Answer::good);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(breaker_.may_start(now_s_));
    breaker_.started(id++, now_s_);
  }
}

TEST_F(BreakerTest, ASlowFirstAnswerIsNotWaitedFor) {
  breaker_.started(1, now_s_);
  EXPECT_FALSE(breaker_.may_start(now_s_ + 0.9));
  EXPECT_EQ(breaker_.next_start_s(now_s_ + 0.9), now_s_ + 1);
  EXPECT_TRUE(breaker_.may_start(now_s_ + 1));
}

TEST_F(BreakerTest, ANewRunBeginsWithOneProbeAtOnceWhateverOthersFound) {
  breaker_.follow({40, 300});
  EXPECT_FALSE(breaker_.is_open());
  call(Answer::failure);
  ASSERT_TRUE(breaker_.is_open()) << "one failure proves them right";
  EXPECT_EQ(breaker_.opening()->since_s, 40);
}

TEST_F(BreakerTest, ARunAtWorkHoldsBackWithTheOthers) {
  call(Answer::good);
  breaker_.follow({90, 130});
  ASSERT_TRUE(breaker_.is_open());
  EXPECT_EQ(breaker_.opening()->next_probe_s, 130);
  breaker_.follow({90, 150});
  EXPECT_EQ(breaker_.opening()->next_probe_s, 150);
  breaker_.release();
  EXPECT_FALSE(breaker_.is_open());
}

TEST_F(BreakerTest, KnowsWhenItsTargetWasAtWork) {
  call(Answer::failure);
  call(Answer::busy);
  call(Answer::doubt);
  EXPECT_FALSE(breaker_.well_s().has_value());
  call(Answer::refused);
  EXPECT_EQ(breaker_.well_s(), 100);
  now_s_ = 110;
  call(Answer::good);
  now_s_ = 120;
  breaker_.release();
  EXPECT_EQ(breaker_.well_s(), 110);
}

TEST_F(BreakerTest, ZeroTurnsItOff) {
  policy_ = {0, 0.9, 0, 0, 0};
  breaker_ = Breaker(policy_, 1, 300);
  breaker_.follow({90, 130});
  call(Answer::good);
  calls(100, Answer::failure);
  calls(100, Answer::doubt);
  EXPECT_FALSE(breaker_.is_open());
  EXPECT_FALSE(breaker_.is_doubtful());
}

}  // namespace
}  // namespace fieldpost
