#include "http/execution_budget.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>

namespace fieldpost {
namespace {

TEST(ExecutionBudget, WithoutALimitEverythingMayStart) {
  ExecutionBudget budget(0, 30);
  budget.ended(1000, 1);
  EXPECT_EQ(budget.next_start_s(50), 0);
  EXPECT_EQ(budget.in_flight_limit(52), 52);
}

TEST(ExecutionBudget, WhatWasSpentIsWaitedForUntilItLeavesTheWindow) {
  ExecutionBudget budget(10, 30);
  budget.ended(4, 1);
  budget.ended(4, 2);
  EXPECT_NEAR(budget.next_start_s(0), 31, 2) << "8 spent and 4 to come: the first has to leave";
  EXPECT_LT(budget.next_start_s(0), 31) << "by the time that it ends";
  budget.ended(1, 40);
  EXPECT_EQ(budget.next_start_s(0), 0);
}

TEST(ExecutionBudget, WhatIsOnTheWireCountsAsLongAsSlowCallsOfLate) {
  ExecutionBudget budget(10, 30);
  budget.ended(1, 1);
  budget.ended(1, 1);
  EXPECT_EQ(budget.next_start_s(7), 0) << "2 spent, 7 on the wire, 1 to come: 10";
  EXPECT_NEAR(budget.next_start_s(8), 31, 1);
  EXPECT_TRUE(std::isinf(budget.next_start_s(12))) << "nothing but their end helps";
  ExecutionBudget small(1, 30);
  small.ended(2, 1);
  EXPECT_EQ(small.next_start_s(0), 31);
}

TEST(ExecutionBudget, CallsThatGetSlowerMayGetSlowerStill) {
  ExecutionBudget budget(10, 30);
  budget.ended(1, 1);
  EXPECT_EQ(budget.next_start_s(3), 0) << "1 spent, and 4 of up to 2";
  EXPECT_GT(budget.next_start_s(4), 0);
  budget.ended(1, 2);
  EXPECT_EQ(budget.next_start_s(7), 0) << "they do not";
}

TEST(ExecutionBudget, BeyondHalfOfItNoMoreAtOnceThanItLastsFor) {
  ExecutionBudget budget(120, 30);
  EXPECT_EQ(budget.in_flight_limit(52), 52);
  budget.ended(60, 1);
  EXPECT_EQ(budget.in_flight_limit(52), 5);
  EXPECT_EQ(budget.in_flight_limit(3), 3);
}

TEST(ExecutionBudget, ADestinationThatCountedMoreIsBelieved) {
  ExecutionBudget budget(1200, 300);
  for (int i = 0; i < 10; ++i) budget.ended(20, i);
  budget.exceeded(10);
  EXPECT_EQ(budget.next_start_s(4), 0) << "200 were too much: 300 are the least believed";
  EXPECT_GT(budget.next_start_s(5), 0);
  ExecutionBudget half(1200, 300);
  for (int i = 0; i < 10; ++i) half.ended(60, i);
  half.exceeded(10);
  EXPECT_GT(half.next_start_s(0), 0);
  half.share(1);
  half.ended(1, 400);
  EXPECT_EQ(half.next_start_s(4), 0);
}

// A destination that counts what it works, as the service does.
TEST(ExecutionBudget, InNoWindowIsMoreSpentThanTheLimit) {
  ExecutionBudget budget(12, 3.05);  // a little more than the window, as the governor has it
  struct Call {
    double ends_s;
    double takes_s;
  };
  std::deque<Call> flying;
  std::deque<Call> counted;
  double most = 0;
  double sum = 0;
  int started = 0;
  for (double now = 0; now < 60; now += 0.01) {
    while (!flying.empty() && flying.front().ends_s <= now) {
      counted.push_back(flying.front());
      sum += flying.front().takes_s;
      budget.ended(flying.front().takes_s + 0.02, now);
      flying.pop_front();
    }
    while (!counted.empty() && counted.front().ends_s <= now - 3) {
      sum -= counted.front().takes_s;
      counted.pop_front();
    }
    most = std::max(most, sum);
    const int in_flight = static_cast<int>(flying.size());
    if (in_flight < budget.in_flight_limit(20) && now >= budget.next_start_s(in_flight)) {
      flying.push_back({now + 0.5, 0.5});
      ++started;
    }
  }
  EXPECT_LE(most, 12);
  EXPECT_GE(started * 0.5, 0.95 * 12 * 20) << "and nearly all of it is used";
}

}  // namespace
}  // namespace fieldpost
