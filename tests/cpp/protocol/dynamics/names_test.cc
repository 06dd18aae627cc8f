#include "protocol/dynamics/names.h"

#include <gtest/gtest.h>

#include "protocol/dynamics/sales_tables.h"

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
      {"accounts",
       R"({"name":"x","primarycontactid":{"d":1,"e@odata.bind":"/f"},)"
       R"("opportunity_customer_accounts":[{"a":1},{"Opportunity_Tasks":[{"g":2}]}]})",
       "?$select=name&$expand=opportunity_customer_accounts($select=a;$expand=Opportunity_Tasks("
       "$select=g)),primarycontactid($select=d;$expand=e)"},
      {"accounts", R"({"ownerid":{"a":1},"Account_Tasks":["x"]})",
       "?$expand=Account_Tasks,ownerid($select=a)"},
      {"accounts", R"({"@odata.type":"x","a&b=c":1})", "?$select=a%26b%3Dc"},
      {"accounts", "{}", ""},
      {"accounts(1)/tasks/$ref", R"({"@odata.id":"x"})", ""},
      {"accounts(1)", "", ""},
  };
  for (const auto& c : cases) {
    const std::string expected = *c.behind ? std::string("accounts") + kNoRow + c.behind : "";
    EXPECT_EQ(names_question(c.path, c.body, tables(), Unknown::column), expected) << c.body;
  }
}

TEST(Names, OfNoPropertyAreAskedForAsColumnsOrAsRows) {
  const struct {
    const char* body;
    const char* column;
    const char* row;
  } cases[] = {
      {R"({"name":{"a":1}})", "?$select=name", "?$expand=name($select=a)"},
      {R"({"name":[{"a":1}]})", "?$select=name", "?$expand=name($select=a)"},
      {R"({"name":["a"]})", "?$select=name", "?$select=name"},
      {R"({"name":[]})", "?$select=name", "?$select=name"},
      {R"({"name":{}})", "?$select=name", "?$expand=name"},
      {R"({"primarycontactid":{"lastname":{"b":2}}})",
       "?$expand=primarycontactid($select=lastname)",
       "?$expand=primarycontactid($expand=lastname($select=b))"},
  };
  for (const auto& c : cases) {
    const std::string set = std::string("accounts") + kNoRow;
    EXPECT_EQ(names_question("accounts(1)", c.body, tables(), Unknown::column), set + c.column);
    EXPECT_EQ(names_question("accounts(1)", c.body, tables(), Unknown::row), set + c.row);
  }
}

}  // namespace
}  // namespace fieldpost::dynamics
