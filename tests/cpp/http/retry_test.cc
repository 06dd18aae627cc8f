#include "http/retry.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace fieldpost {
namespace {

TEST(NextWait, IsFullJitterUnderADoublingCeiling) {
  const RetryPolicy policy;
  Random random(7);
  for (const auto& [tries, ceiling_s] : {std::pair{1, 1.0}, {2, 2.0}, {5, 16.0}, {60, 300.0}}) {
    double most_s = 0;
    for (int i = 0; i < 400; ++i) {
      const auto wait_s = next_wait_s(policy, {tries, tries, 0}, std::nullopt, random);
      ASSERT_TRUE(wait_s);
      ASSERT_GE(*wait_s, 0);
      ASSERT_LE(*wait_s, ceiling_s);
      most_s = std::max(most_s, *wait_s);
    }
    EXPECT_GT(most_s, 0.9 * ceiling_s) << tries;
  }
}

TEST(NextWait, EndsWithTheRecordsWholeLife) {
  RetryPolicy policy;
  policy.max_elapsed_s = 100;
  policy.max_attempts = 5;
  Random random(7);
  const struct {
    Tries tries;
    std::optional<double> retry_after_s;
    bool goes_on;
  } cases[] = {
      {{1, 1, 99}, std::nullopt, true},
      {{1, 1, 100}, std::nullopt, false},
      {{5, 1, 0}, std::nullopt, false},  // attempts of earlier runs count
      {{1, 1, 90}, 10, true},
      {{1, 1, 90}, 11, false},  // the destination must not be asked earlier
  };
  for (const auto& c : cases) {
    EXPECT_EQ(next_wait_s(policy, c.tries, c.retry_after_s, random).has_value(), c.goes_on)
        << c.tries.elapsed_s << " " << c.retry_after_s.value_or(-1);
  }
}

TEST(NextWait, CutsItsOwnWaitSoThatTheLastTryFallsOnTheLimit) {
  RetryPolicy policy;
  policy.max_elapsed_s = 100;
  Random random(7);
  for (int i = 0; i < 50; ++i) {
    EXPECT_LE(*next_wait_s(policy, {9, 9, 99}, std::nullopt, random), 1);
  }
}

TEST(NextWait, ObeysRetryAfterUpToADay) {
  const RetryPolicy policy;
  Random random(7);
  EXPECT_EQ(next_wait_s(policy, {1, 1, 0}, 12.5, random), 12.5);
  EXPECT_EQ(next_wait_s(policy, {1, 1, 0}, 7200, random), 7200);
  EXPECT_EQ(next_wait_s(policy, {1, 1, 0}, 1e12, random), kLongestRetryAfter_s);
}

TEST(NextWait, LetsNothingExpireForAWaitThatNoRunWaitsFor) {
  RetryPolicy policy;
  policy.max_elapsed_s = 100;
  Random random(7);
  EXPECT_EQ(next_wait_s(policy, {1, 1, 0}, 101, random), std::nullopt);
  EXPECT_EQ(next_wait_s(policy, {1, 1, 0}, kLongestWait_s + 1, random), kLongestWait_s + 1);
}

}  // namespace
}  // namespace fieldpost
