#include "protocol/dynamics/row_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "fieldpost/protocol.h"

namespace fieldpost {
namespace {

const Tables kTables = {
    {"account",
     {"accounts",
      "accountid",
      {{"primarycontactid", "contact"}, {"opportunity_customer_accounts", "opportunity"}}}},
    {"contact", {"contacts", "contactid", {}}},
    {"opportunity", {"opportunities", "opportunityid", {{"Opportunity_Tasks", "task"}}}},
    {"task", {"tasks", "activityid", {}}},
};

// The path of a node stands for its key.
std::string write(const std::string& body) {
  return write_row_keys(body, kTables, kTables.at("account"),
                        [](std::string_view path) { return std::string(path); })
      .text;
}

std::string code_of_fault(const std::string& body) {
  try {
    write(body);
  } catch (const CallFault& fault) {
    return fault.code;
  }
  return "";
}

TEST(RowKeys, AreWrittenAtEveryNodeOfTheTreeAndNowhereElse) {
  const struct {
    const char* body;
    const char* written;
  } cases[] = {
      {"{}", R"({"accountid":"$"})"},
      {"  { } ", R"(  {"accountid":"$" } )"},
      {R"({"name":"A"})", R"({"accountid":"$","name":"A"})"},
      // Tokens stay as they are: numbers, escapes, white space, order, doubled members.
      {R"({ "n":12345678901234567890.10,"s":"\u00e9\/", "n" : 1e400 })",
       R"({"accountid":"$", "n":12345678901234567890.10,"s":"\u00e9\/", "n" : 1e400 })"},
      {R"({"primarycontactid":{"firstname":"B"},"x":{"y":{}}})",
       R"({"accountid":"$","primarycontactid":{"contactid":"$.primarycontactid","firstname":"B"},)"
       R"("x":{"y":{}}})"},
      {R"({"opportunity_customer_accounts":[{"Opportunity_Tasks":[{},{"a":1}]},7,{}]})",
       R"({"accountid":"$","opportunity_customer_accounts":[)"
       R"({"opportunityid":"$.opportunity_customer_accounts[0]","Opportunity_Tasks":[)"
       R"({"activityid":"$.opportunity_customer_accounts[0].Opportunity_Tasks[0]"},)"
       R"({"activityid":"$.opportunity_customer_accounts[0].Opportunity_Tasks[1]","a":1}]},)"
       R"(7,{"opportunityid":"$.opportunity_customer_accounts[2]"}]})"},
      {R"({"primarycontactid":null,"PrimaryContactId":{},"primarycontactid@odata.bind":"/c7"})",
       R"({"accountid":"$","primarycontactid":null,"PrimaryContactId":{},)"
       R"("primarycontactid@odata.bind":"/c7"})"},
      // An escaped name is the same name.
      {R"({"primary\u0063ontactid":{}})",
       R"({"accountid":"$","primary\u0063ontactid":{"contactid":"$.primarycontactid"}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(write(c.body), c.written);
}

TEST(RowKeys, AKeyOfTheBodyIsKept) {
  const std::string own = R"({"a":1,"accountid":"2ED6657D-e927-568b-95e1-2665a8aea6a2"})";
  const KeyedBody body = write_row_keys(own, kTables, kTables.at("account"),
                                        [](std::string_view) { return std::string("no"); });
  EXPECT_EQ(body.text, own);
  EXPECT_EQ(body.root_key, "2ED6657D-e927-568b-95e1-2665a8aea6a2");
}

TEST(RowKeys, RefusesWhatIsNoBody) {
  const struct {
    const char* body;
    const char* code;
  } cases[] = {
      {"", "E513"},
      {"[{}]", "E513"},
      {"1", "E513"},
      {"{", "E513"},
      {"{\"a\":1}}", "E513"},
      {"{\"a\" 1}", "E513"},
      {"{\"accountid\":null}", "E515"},
      {"{\"accountid\":\"7\"}", "E515"},
      {"{\"primarycontactid\":{\"contactid\":7}}", "E515"},
  };
  for (const auto& c : cases) EXPECT_EQ(code_of_fault(c.body), c.code) << c.body;
}

}  // namespace
}  // namespace fieldpost
