#include "protocol/dynamics/values.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "fieldpost/protocol.h"
#include "sales_tables.h"

namespace fieldpost::dynamics {
namespace {

// "-" where the column is left out, the fault's code where it is refused.
std::string value_of(const std::string& column, const std::string& json) {
  try {
    JsonBody body(json);
    const auto told =
        converted(body, body.whole(), tables().at("account").columns.at(column), column);
    return told.value_or("-");
  } catch (const CallFault& fault) {
    return fault.code;
  }
}

TEST(Values, BecomeWhatTheirColumnTakes) {
  const struct {
    const char* column;
    const char* json;
    const char* written;
  } cases[] = {
      {"industrycode", R"("Accounting")", "1"},
      {"industrycode", R"(" accounTing ")", "1"},
      {"industrycode", "2", "2"},
      {"industrycode", R"("33")", "33"},
      {"industrycode", R"("Banking")", "E518"},
      {"preferredcontactmethodcode", R"("Pigeon")", "-"},
      {"customertypecode", R"("Pigeon")", "12"},
      {"interests", R"(["Red","green",1,null])", R"("1,3")"},
      {"interests", R"("Red, 3")", R"("1,3")"},
      {"interests", R"("blue, dark")", R"("2")"},
      {"interests", "2", R"("2")"},
      {"interests", R"("Red,Yellow")", "E518"},
      {"interests", "[1.5]", "E518"},
      {"interests", "[[1]]", "E518"},
      // No choice at all empties the column, where the subscription says so.
      {"interests", "[]", "null"},
      {"interests", "[null]", "null"},
      {"interests", R"([""," "])", "null"},
      {"interests", R"(" ")", "null"},
      {"interests", R"(" , ")", "null"},
      {"interests", "{}", "E518"},
      {"industrycode", R"(" ")", "null"},
      {"opened", R"("  ")", "null"},
      {"opened", R"("2026-03-01T23:30:00Z")", R"("2026-03-02")"},
      {"opened", R"("2026-03-01")", R"("2026-03-01")"},
      {"opened", R"("2026-02-30")", "E518"},
      {"opened", "5", "E518"},
      {"name", R"("12345678")", R"("12345678")"},
      {"name", R"("123456789")", R"("12345678")"},
      {"name", R"("éééééééé")", R"("éééééééé")"},
      {"name", R"("1234567\ud83d\ude00")", R"("1234567")"},  // never half a pair
      {"name", R"("123456\ud83d\ude00x")", R"("123456😀")"},
      {"name", "123456789", "123456789"},
  };
  for (const auto& c : cases) EXPECT_EQ(value_of(c.column, c.json), c.written) << c.json;
}

TEST(Values, OfAVeryLongListOfChoicesTakeNoLongerThanReadingIt) {
  std::string json = "[";
  for (int number = 0; number < 200'000; ++number) json += std::to_string(number) + ",";
  json += "7]";
  const std::clock_t begin = std::clock();
  const std::string written = value_of("interests", json);
  const double took_s = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  EXPECT_EQ(written, "\"" + json.substr(1, json.size() - 4) + "\"");
  EXPECT_LT(took_s, 2);
}

}  // namespace
}  // namespace fieldpost::dynamics
