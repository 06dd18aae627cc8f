#include "http/governor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace fieldpost {
namespace {

using End = Governor::End;

Limits at_most(int in_flight) {
  Limits limits;
  limits.max_in_flight = in_flight;
  return limits;
}

Limits budget(int requests, double window_s) {
  Limits limits = at_most(1000);
  limits.requests_per_window = requests;
  limits.window_s = window_s;
  return limits;
}

TEST(Governor, HoldsTheNumberInFlight) {
  Governor governor(at_most(2));
  governor.started(0);
  EXPECT_TRUE(governor.may_start(0));
  governor.started(0);
  EXPECT_FALSE(governor.may_start(0));
  EXPECT_THROW(governor.started(0), std::logic_error);
  governor.ended(End::answered, 0, 1);
  EXPECT_TRUE(governor.may_start(1));
}

TEST(Governor, AHoldOnlyGrows) {
  Governor governor(at_most(1));
  governor.hold_until(10, 2);
  governor.hold_until(5, 2);
  EXPECT_FALSE(governor.may_start(9.9));
  EXPECT_TRUE(governor.may_start(10));
}

TEST(Governor, StartsNoMoreThanItIsAllowedInAll) {
  Governor governor(at_most(4));
  governor.allow(4, 0, 2);
  governor.started(0);
  governor.started(0);
  governor.ended(End::answered, 0, 1);
  EXPECT_FALSE(governor.may_start(100));
  governor.allow(4, 0, 3);
  EXPECT_TRUE(governor.may_start(100));
  governor.started(100);
  EXPECT_FALSE(governor.may_start(200));
  governor.allow(4, 0);
  EXPECT_TRUE(governor.may_start(200));
}

TEST(Governor, CountsForHowLongNothingMightStart) {
  Governor governor(at_most(1));
  EXPECT_EQ(governor.held_for_s(1), 0);
  governor.hold_until(10, 2);
  EXPECT_EQ(governor.held_for_s(5), 3);
  governor.hold_until(12, 6);  // overlaps
  governor.hold_until(7, 6);
  EXPECT_EQ(governor.held_for_s(14), 10);
  governor.hold_until(20, 15);
  EXPECT_EQ(governor.held_for_s(16), 11);
  EXPECT_EQ(governor.held_for_s(30), 15);
}

TEST(Governor, RefusesNonsense) {
  EXPECT_THROW(Governor(at_most(0)), std::invalid_argument);
  EXPECT_THROW(Governor(budget(5, 0)), std::invalid_argument);
  Governor governor(at_most(1));
  EXPECT_THROW(governor.ended(End::answered, 0, 0), std::logic_error);
}

// Starts whatever may start for so long, in steps of a millisecond.
std::vector<double> starts(Governor& governor, double for_s) {
  std::vector<double> times_s;
  for (int step = 0; step < std::lround(for_s * 1000); ++step) {
    const double now_s = step / 1000.0;
    while (governor.may_start(now_s)) {
      governor.started(now_s);
      governor.ended(End::answered, now_s, now_s);
      times_s.push_back(now_s);
    }
  }
  return times_s;
}

TEST(Governor, NoWindowHasMoreStartsThanTheBudget) {
  Governor governor(budget(20, 2));
  const std::vector<double> times_s = starts(governor, 60);
  for (std::size_t i = 20; i < times_s.size(); ++i) {
    EXPECT_GT(times_s[i] - times_s[i - 20], 2.0);
  }
  EXPECT_GE(times_s.size(), 0.95 * 60 / 2 * 20);
}

TEST(Governor, APartOfTheBudgetIsAPart) {
  Governor governor(budget(20, 2));
  governor.allow(1000, 5);
  EXPECT_NEAR(static_cast<double>(starts(governor, 20).size()), 50, 3);
  governor.allow(1000, 0);
  EXPECT_TRUE(std::isinf(governor.next_start_s()));
}

TEST(Governor, ASmallerPartLetsWhatIsOutEnd) {
  Governor governor(at_most(4));
  for (int i = 0; i < 4; ++i) governor.started(0);
  governor.allow(1, 0);
  governor.ended(End::answered, 0, 1);
  governor.ended(End::answered, 0, 1);
  EXPECT_EQ(governor.in_flight(), 2);
  EXPECT_FALSE(governor.may_start(1));
  governor.ended(End::answered, 0, 1);
  governor.ended(End::answered, 0, 1);
  EXPECT_TRUE(governor.may_start(1));
}

// As many calls as may be, for so many rounds of the same latency.
void rounds(Governor& governor, int count, double latency_s, double& now_s) {
  for (int round = 0; round < count; ++round) {
    const double began_s = now_s;
    while (governor.may_start(now_s)) governor.started(now_s);
    now_s += latency_s;
    while (governor.in_flight() > 0) governor.ended(End::answered, began_s, now_s);
  }
}

TEST(Governor, ABusyDestinationGetsFewerAtOnceAndThenMoreAgain) {
  Governor governor(at_most(12));
  double now_s = 0;
  for (int i = 0; i < 12; ++i) governor.started(now_s);
  for (int i = 0; i < 12; ++i) governor.ended(End::busy, 0, 1);
  EXPECT_EQ(governor.in_flight_limit(), 8) << "calls of one moment say one thing";
  now_s = 2;
  rounds(governor, 3, 0.1, now_s);
  EXPECT_EQ(governor.in_flight_limit(), 11);
  rounds(governor, 9, 0.1, now_s);
  EXPECT_EQ(governor.in_flight_limit(), 12);
}

TEST(Governor, ASlowDestinationGetsFewerAtOnce) {
  Governor governor(at_most(16));
  double now_s = 0;
  rounds(governor, 5, 0.1, now_s);
  EXPECT_EQ(governor.in_flight_limit(), 16);
  rounds(governor, 4, 1.0, now_s);
  EXPECT_LT(governor.in_flight_limit(), 12);
  EXPECT_GE(governor.in_flight_limit(), 1);
}

TEST(Governor, BeginsWhereItIsToldAndGrows) {
  Limits limits = at_most(8);
  limits.start_in_flight = 2;
  Governor governor(limits);
  EXPECT_EQ(governor.in_flight_limit(), 2);
  double now_s = 0;
  rounds(governor, 10, 0.1, now_s);
  EXPECT_EQ(governor.in_flight_limit(), 8);
}

TEST(Governor, AFixedLimitStaysWhatItIs) {
  Limits limits = at_most(4);
  limits.adaptive = false;
  Governor governor(limits);
  governor.started(0);
  governor.ended(End::busy, 0, 1);
  EXPECT_EQ(governor.in_flight_limit(), 4);
}

TEST(Governor, BeginsOnceWhereTheDestinationRecommends) {
  Limits limits;
  limits.max_in_flight = 52;
  limits.start_in_flight = 4;
  Governor governor(limits);
  EXPECT_EQ(governor.in_flight_limit(), 4);
  governor.begin_at(0);
  EXPECT_EQ(governor.in_flight_limit(), 4) << "it recommended nothing";
  governor.begin_at(10);
  EXPECT_EQ(governor.in_flight_limit(), 10);
  governor.begin_at(2);
  EXPECT_EQ(governor.in_flight_limit(), 10);
  limits.start_in_flight = 0;
  Governor all(limits);
  all.begin_at(10);
  EXPECT_EQ(all.in_flight_limit(), 52);
}

TEST(Governor, HowLongAPackTookDoesNotCutTheLimit) {
  Limits limits;
  limits.max_in_flight = 8;
  Governor governor(limits);
  double now = 0;
  for (int i = 0; i < 100; ++i) {
    governor.started(now);
    governor.ended(Governor::End::pack_answered, now, now + i);
    now += i;
  }
  EXPECT_EQ(governor.in_flight_limit(), 8);
}

TEST(Governor, TheTimeOfTheDestinationIsDividedWithOtherProcesses) {
  Limits limits;
  limits.max_in_flight = 8;
  limits.execution_s = 10;
  limits.execution_window_s = 30;
  Governor governor(limits);
  governor.started(0);
  governor.ended(Governor::End::answered, 0, 3);
  EXPECT_TRUE(governor.may_start(5)) << "3 of 10, and up to 6 to come";
  governor.allow(4, 0);
  EXPECT_FALSE(governor.may_start(5)) << "half of it is another's";
  EXPECT_TRUE(governor.may_start(40));
}

}  // namespace
}  // namespace fieldpost
