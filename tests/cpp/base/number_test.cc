#include "base/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <string>
#include <utility>

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

TEST(ParseNumber, KnowsSmallFromLargeWithoutAnExponent) {
  EXPECT_EQ(parse_number("0." + std::string(400, '0') + "1"), 0);
  EXPECT_EQ(parse_number("1" + std::string(400, '0') + "e-10"), INFINITY);
}

TEST(CompareNumbers, TakesEveryDigit) {
  const char* ascending[] = {"-1e400",
                             "-1e300",
                             "-9007199254740993",
                             "-9007199254740992",
                             "-1",
                             "-1e-400",
                             "0",
                             "1e-400",
                             "0.1",
                             "0.10000000000000000001",
                             "1",
                             "9007199254740992",
                             "9007199254740993",
                             "1e400",
                             "1e401"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      const int order = compare_numbers(ascending[i], ascending[j]);
      EXPECT_EQ(order < 0, i < j) << ascending[i] << " " << ascending[j];
      EXPECT_EQ(order > 0, i > j) << ascending[i] << " " << ascending[j];
    }
  }
}

TEST(CompareNumbers, DoesNotMindHowANumberIsWritten) {
  for (const char* one : {"1", "1.0", "1e0", "10e-1", "0.1E+1", "1.00000000000000000000"}) {
    EXPECT_EQ(compare_numbers(one, "1"), 0) << one;
  }
  for (const char* zero : {"-0", "0.0", "-0.0e5", "0e999999999999999999999"}) {
    EXPECT_EQ(compare_numbers(zero, "0"), 0) << zero;
  }
  EXPECT_EQ(compare_numbers("1e999999999999999999999", "1e-999999999999999999999") > 0, true);
}

TEST(NumberKey, IsOneTextOfANumber) {
  const std::pair<const char*, std::string> table[] = {
      {"1001", "1001"},
      {"1001.0", "1001"},
      {"1.001e3", "1001"},
      {"-0", "0"},
      {"0.000e7", "0"},
      {"-12.50", "-12.5"},
      {"820982911946154508.0", "820982911946154508"},
      {"1e21", "1" + std::string(21, '0')},
      {"1e-7", "1e-7"},
      {"1e999", "1" + std::string(999, '0')},
      {"10e1000", "1e+1001"},
      {"1e1001", "1e+1001"},
      {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"}};
  for (const auto& [token, text] : table) EXPECT_EQ(number_key(token), text) << token;
}

TEST(ExactNumberText, IsJavaScriptsWhereThatLosesNothing) {
  const std::pair<const char*, const char*> table[] = {
      {"1e21", "1e+21"},
      {"19.90", "19.9"},
      {"1e-7", "1e-7"},
      {"820982911946154508", "820982911946154508"},
      {"1234567890123456789012345", "1234567890123456789012345"},
      {"0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"},
      {"1e400", nullptr}};
  for (const auto& [token, text] : table) {
    std::string out = "x";
    append_exact_number_text(token, out);
    EXPECT_EQ(out, "x" + (text != nullptr ? text : "1" + std::string(400, '0'))) << token;
  }
}

TEST(IsWholeNumber, LooksAtTheValue) {
  for (const char* whole : {"7", "7.0", "7e3", "0.7e1", "-0.0", "70e-1"}) {
    EXPECT_TRUE(is_whole_number(whole)) << whole;
  }
  for (const char* broken : {"7.5", "7e-1", "1e-400"}) EXPECT_FALSE(is_whole_number(broken));
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
