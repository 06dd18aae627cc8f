#include "dispatch/secrets.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(Secrets, HideTokensAndLeaveWords) {
  Secrets secrets;
  secrets.add("Bearer abc.def");
  secrets.add("bare-key");
  secrets.add("Bearer x");
  secrets.add("");
  EXPECT_EQ(secrets.hide("Bearer abc.def, abc.def and bare-key x"), "Bearer ***, *** and *** x");
  EXPECT_EQ(secrets.hide(""), "");
}

}  // namespace
}  // namespace fieldpost
