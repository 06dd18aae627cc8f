#include "filter/glob.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

struct Row {
  const char* pattern;
  const char* text;
  bool matches;
};

TEST(Glob, MatchesWholeTexts) {
  const Row rows[] = {
      {"abc", "abc", true},
      {"abc", "abcd", false},
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"*", "a/b", true},
      {"*c", "abc", true},
      {"*b", "abc", false},
      {"a*", "a", true},
      {"a*/b", "a/c/b", true},
      {"a*b*c*d", "axbbcxxd", true},
      {"a*b?c*x", "abxbbxdbxebxczzx", true},
      {"a*b?c*x", "abxbbxdbxebxczzy", false},
      {"a?b", "a\u263Ab", true},
      {"a???b", "a\u263Ab", false},
      {"ab[b-d]", "abc", true},
      {"ab[e-g]", "abc", false},
      {"ab[^b-d]", "abc", false},
      {"a[^a]b", "a\u263Ab", true},
      {"[a-\u03B6]*", "\u03B1", true},
      {"a\\*b", "a*b", true},
      {"a\\*b", "ab", false},
      {"[\\]a]", "]", true},
      {"[\\-x]", "-", true},
      {"**", "x", true},
      {"*?", "", false},
      {"?*", "x", true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(glob_matches(row.text, row.pattern), row.matches) << row.pattern << " " << row.text;
    EXPECT_TRUE(glob_is_well_formed(row.pattern)) << row.pattern;
  }
}

TEST(Glob, MatchesNothingWhereItIsMalformed) {
  for (const char* pattern : {"[", "[]", "[]a]", "[-]", "[x-]", "[-x]", "[a-", "[a", "[^", "[^]",
                              "a\\", "[\\", "*[", "[a-b-c]"}) {
    EXPECT_FALSE(glob_is_well_formed(pattern)) << pattern;
    for (const char* text : {"", "a", "]", "-", "x", "["}) {
      EXPECT_FALSE(glob_matches(text, pattern)) << pattern << " " << text;
    }
  }
}

TEST(Glob, ReadsTornUtf8WithoutHarm) {
  EXPECT_FALSE(glob_matches("\xE2\x98", "\u263A"));
  EXPECT_TRUE(glob_matches("\xE2\x98", "?"));
  EXPECT_TRUE(glob_matches("\xF0", "[^a]"));
  EXPECT_TRUE(glob_matches("\x98\x98", "??"));
}

TEST(Glob, TakesTimeThatGrowsSlowly) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  EXPECT_FALSE(glob_matches(std::string(5000, 'a') + "b", pattern + "c"));
}

}  // namespace
}  // namespace fieldpost
