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

TEST(Secrets, WhatIsKeptOutlivesTokens) {
  Secrets secrets;
  secrets.keep("two words");
  secrets.keep("x");
  for (const char* token :
       {"Bearer one1", "Bearer two2", "Bearer three3", "Bearer four4", "a five5"})
    secrets.add(token);
  EXPECT_EQ(secrets.hide("one1 five5 two words x"), "one1 *** *** x");
}

}  // namespace
}  // namespace fieldpost
