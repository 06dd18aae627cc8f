#include "protocol/dynamics/names.h"

#include <gtest/gtest.h>

namespace fieldpost::dynamics {
namespace {

constexpr const char* kNoRow = "(00000000-0000-0000-0000-000000000000)";

TEST(Names, OfABodyAreAskedForWithoutItsValues) {
  const struct {
    const char* path;
    const char* body;
    const char* behind;  // the nil id; "" for no question
  } cases[] = {
      {"accounts", R"({"name":"x","fax":1})", "?$select=fax,name"},
      {"accounts(1)?$select=a", R"({"name":"x"})", "?$select=name"},
      {"accounts", R"({"name":"x","c":{"d":1,"e@odata.bind":"/f"},"t":[{"a":1},{"b":[{"g":2}]}]})",
       "?$select=name&$expand=c($select=d;$expand=e),t($select=a;$expand=b($select=g))"},
      {"accounts", R"({"@odata.type":"x","a&b=c":1})", "?$select=a%26b%3Dc"},
      {"accounts", "{}", ""},
      {"accounts(1)/tasks/$ref", R"({"@odata.id":"x"})", ""},
      {"accounts(1)", "", ""},
  };
  for (const auto& c : cases) {
    const std::string expected = *c.behind ? std::string("accounts") + kNoRow + c.behind : "";
    EXPECT_EQ(names_question(c.path, c.body), expected) << c.body;
  }
}

}  // namespace
}  // namespace fieldpost::dynamics
