#include "base/number.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fieldpost {
namespace {

TEST(NumberText, FollowsEcmaScript) {
  const std::pair<double, const char*> table[] = {{0, "0"},
                                                  {-0.0, "0"},
                                                  {7, "7"},
                                                  {-1.5, "-1.5"},
                                                  {100, "100"},
                                                  {1e20, "100000000000000000000"},
                                                  {1e21, "1e+21"},
                                                  {1.5e-10, "1.5e-10"},
                                                  {0.000001, "0.000001"},
                                                  {1e-7, "1e-7"},
                                                  {123456.789, "123456.789"},
                                                  {12345678901234567890.0, "12345678901234567000"},
                                                  {INFINITY, "Infinity"}};
  for (const auto& [value, text] : table) EXPECT_EQ(number_text(value), text);
}

TEST(ParseNumber, GoesBeyondADouble) {
  EXPECT_EQ(parse_number("1e400"), INFINITY);
  EXPECT_EQ(parse_number("-1e400"), -INFINITY);
  EXPECT_EQ(parse_number("1e-400"), 0);
  EXPECT_EQ(parse_number("2.5e3"), 2500);
}

TEST(IsJsonNumber, KeepsToTheGrammar) {
  for (const char* good : {"0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-3"}) {
    EXPECT_TRUE(is_json_number(good)) << good;
  }
  for (const char* bad : {"", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1a", "NaN", "- 1"}) {
    EXPECT_FALSE(is_json_number(bad)) << bad;
  }
}

}  // namespace
}  // namespace fieldpost
