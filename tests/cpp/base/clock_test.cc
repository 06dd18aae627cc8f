#include "base/clock.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(SystemClock, NeverGoesBackAndKnowsTheYear) {
  const SystemClock clock;
  const double before_s = clock.monotonic_s();
  EXPECT_GE(clock.monotonic_s(), before_s);
  EXPECT_GT(clock.unix_s(), 1.7e9);
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock;
  const double start_s = clock.unix_s();
  clock.advance(2.5);
  EXPECT_DOUBLE_EQ(clock.monotonic_s(), 2.5);
  EXPECT_DOUBLE_EQ(clock.unix_s() - start_s, 2.5);
}

}  // namespace
}  // namespace fieldpost
