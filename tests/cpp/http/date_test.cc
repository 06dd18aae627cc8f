#include "http/date.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

constexpr double kNow = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT

TEST(HttpDate, HasThreeForms) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(http_date(text, kNow), kNow) << text;
  }
}

TEST(HttpDate, AYearOfTwoDigitsIsTheNearestOne) {
  constexpr double kIn2026 = 1796072338;
  EXPECT_EQ(http_date("Sunday, 06-Nov-94 08:49:37 GMT", kIn2026), kNow);
  EXPECT_EQ(http_date("Monday, 30-Nov-26 20:58:58 GMT", kIn2026), kIn2026);
  EXPECT_EQ(http_date("Monday, 30-Nov-26 20:58:58 GMT", kNow), kIn2026);
}

TEST(HttpDate, IsNothingElse) {
  for (const char* text : {"", "soon", "Sun, 06 Xyz 1994 08:49:37 GMT",
                           "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 06 Nov 1994 08:49 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT", "Sunday, 06-Nov-994 08:49:37 GMT",
                           "Sun Nov 6 08:49:37 94", "Sun 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(http_date(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace fieldpost
