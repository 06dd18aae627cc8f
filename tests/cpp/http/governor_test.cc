#include "http/governor.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace fieldpost {
namespace {

TEST(Governor, HoldsTheNumberInFlight) {
  Governor governor(2);
  governor.started();
  EXPECT_TRUE(governor.may_start(0));
  governor.started();
  EXPECT_FALSE(governor.may_start(0));
  EXPECT_THROW(governor.started(), std::logic_error);
  governor.ended();
  EXPECT_TRUE(governor.may_start(0));
}

TEST(Governor, AHoldOnlyGrows) {
  Governor governor(1);
  governor.hold_until(10);
  governor.hold_until(5);
  EXPECT_FALSE(governor.may_start(9.9));
  EXPECT_TRUE(governor.may_start(10));
}

TEST(Governor, RefusesNonsense) {
  EXPECT_THROW(Governor(0), std::invalid_argument);
  Governor governor(1);
  EXPECT_THROW(governor.ended(), std::logic_error);
}

}  // namespace
}  // namespace fieldpost
