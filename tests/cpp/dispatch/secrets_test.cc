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

TEST(Secrets, HideTheBeginningOfOneWhereATextWasCut) {
  Secrets secrets;
  secrets.add("Bearer abcabcdef");
  secrets.keep("key-abcabcabcd");
  EXPECT_EQ(secrets.hide("it was abca"), "it was ***");
  EXPECT_EQ(secrets.hide("it was abcabcde"), "it was ***");
  EXPECT_EQ(secrets.hide("it was key-abcabc"), "it was ***") << "the longest of them";
  EXPECT_EQ(secrets.hide("it was abc"), "it was abc") << "too short to say anything";
  EXPECT_EQ(secrets.hide("abcabcdef abca."), "*** abca.") << "it was not cut there";
  EXPECT_EQ(secrets.hide("abcd"), "abcd");
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
