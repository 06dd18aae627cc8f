#include "protocol/dynamics/row.h"

#include <gtest/gtest.h>

#include <string>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/ids.h"
#include "sales_tables.h"

namespace fieldpost::dynamics {
namespace {

const std::string kEnvironment = "https://org.crm.dynamics.com";
const Environment kOrg{kEnvironment, {}};

// The path of a node stands for its key.
Row read(const std::string& body, const RowRules& rules = {}, const char* table = "account") {
  const References references(tables(), kOrg);
  return RowReader(tables(), references, rules,
                   [](std::string_view path) { return std::string(path); })
      .read(body, tables().at(table));
}

std::string write(const std::string& body, const RowRules& rules = {},
                  const char* table = "account") {
  return read(body, rules, table).deep();
}

std::string code_of_fault(const std::string& body) {
  try {
    write(body);
  } catch (const CallFault& fault) {
    return fault.code;
  }
  return "";
}

TEST(Row, HasAKeyAtEveryNodeOfTheTreeAndNowhereElse) {
  const struct {
    const char* body;
    const char* written;
  } cases[] = {
      {"{}", R"({"accountid":"$"})"},
      {"  { } ", R"({"accountid":"$"})"},
      {R"({"city":"A"})", R"({"accountid":"$","city":"A"})"},
      // Values stay as they are: numbers, escapes, white space inside, order, doubled members.
      {R"({ "n":12345678901234567890.10,"s":"\u00e9\/", "n" : 1e400, "o": { "a" : [ 1 ] } })",
       R"({"accountid":"$","n":12345678901234567890.10,"s":"\u00e9\/","n":1e400,)"
       R"("o":{ "a" : [ 1 ] }})"},
      {R"({"primarycontactid":{"firstname":"B"},"x":{"y":{}}})",
       R"({"accountid":"$","x":{"y":{}},)"
       R"("primarycontactid":{"contactid":"$.primarycontactid","firstname":"B"}})"},
      {R"({"opportunity_customer_accounts":[{"Opportunity_Tasks":[{},{"a":1}]},{}]})",
       R"({"accountid":"$","opportunity_customer_accounts":[)"
       R"({"opportunityid":"$.opportunity_customer_accounts[0]","Opportunity_Tasks":[)"
       R"({"activityid":"$.opportunity_customer_accounts[0].Opportunity_Tasks[0]"},)"
       R"({"activityid":"$.opportunity_customer_accounts[0].Opportunity_Tasks[1]","a":1}]},)"
       R"({"opportunityid":"$.opportunity_customer_accounts[1]"}]})"},
      // A name that is not known is the service's to refuse.
      {R"j({"PrimaryContactId":{},"primarycontactid@odata.bind":"/c(new_no=7)"})j",
       R"j({"accountid":"$","PrimaryContactId":{},"primarycontactid@odata.bind":"/c(new_no=7)"})j"},
      // An escaped name is the same name.
      {R"({"primary\u0063ontactid":{}})",
       R"({"accountid":"$","primarycontactid":{"contactid":"$.primarycontactid"}})"},
  };
  for (const auto& c : cases) EXPECT_EQ(write(c.body), c.written);
}

TEST(Row, KeepsAKeyOfTheBody) {
  const Row row = read(R"({"a":1,"accountid":"2ED6657D-e927-568b-95e1-2665a8aea6a2"})");
  EXPECT_EQ(row.deep(), R"({"accountid":"2ED6657D-e927-568b-95e1-2665a8aea6a2","a":1})");
  EXPECT_TRUE(row.brings_id);
}

TEST(Row, RefusesWhatIsNoBody) {
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
      {R"({"industrycode":"Banking"})", "E518"},
      {R"({"ownerid":{"@bind":{"table":"owner","key":"a"}}})", "E519"},
      {R"({"ownerid":{"@bind":{"key":"a"}}})", "E519"},
      {R"({"ownerid":{"@bind":"a"}})", "E519"},
  };
  for (const auto& c : cases) EXPECT_EQ(code_of_fault(c.body), c.code) << c.body;
}

TEST(Row, LeavesNothingOutButWhatIsNothing) {
  const std::string body =
      R"({"a":null,"b":"","c":0,"d":false,"e":" ","f":[],"primarycontactid":null,)"
      R"("parentaccountid":{"@bind":{"table":"account","key":""}},"Account_Tasks":null})";
  EXPECT_EQ(write(body), R"({"accountid":"$","c":0,"d":false,"e":" ","f":[]})");
  RowRules all;
  all.clears_all = true;
  EXPECT_EQ(write(body, all),
            R"({"accountid":"$","a":null,"b":null,"c":0,"d":false,"e":" ","f":[],)"
            R"("primarycontactid@odata.bind":null,"parentaccountid@odata.bind":null})");
  RowRules some;
  some.clears = {"b", "parentaccountid"};
  EXPECT_EQ(write(body, some), R"({"accountid":"$","b":null,"c":0,"d":false,"e":" ","f":[],)"
                               R"("parentaccountid@odata.bind":null})");
}

TEST(Row, TiesToRowsThatAreThere) {
  const std::string contact = key_id(kEnvironment, "contact", "Ada@Example.com");
  EXPECT_EQ(
      write(R"({"primarycontactid":{"@bind":{"table":"contact","key":" ada@example.COM "}}})"),
      R"({"accountid":"$","primarycontactid@odata.bind":"/contacts()" + contact + ")\"}");
  EXPECT_EQ(
      write(R"({"ownerid":{"@bind":{"table":"team","key":{"teamid":)"
            R"("2ED6657D-e927-568b-95e1-2665a8aea6a2"}}}})"),
      R"j({"accountid":"$","ownerid@odata.bind":"/teams(2ED6657D-e927-568b-95e1-2665a8aea6a2)"})j");
  EXPECT_EQ(write(R"({"Account_Tasks":[{"@bind":{"table":"task","key":{"new_no":7}}},{"a":1}]})"),
            R"j({"accountid":"$","Account_Tasks@odata.bind":["/tasks(new_no=7)"],)j"
            R"("Account_Tasks":[{"activityid":"$.Account_Tasks[1]","a":1}]})");
  EXPECT_TRUE(read(R"j({"Account_Tasks":[{"x@odata.bind":"/a(n=1)"}]})j").binds);
}

std::string fault_of(const std::string& body, const char* table = "account") {
  try {
    return write(body, {}, table);
  } catch (const CallFault& fault) {
    return fault.code;
  }
}

// The service would blame the form of the request, and so every event of the subscription.
TEST(Row, IsNotWrittenWithALookupThatIsGivenNoRow) {
  for (const char* body :
       {R"({"primarycontactid":"Ada"})", R"({"primarycontactid":7})",
        R"({"primarycontactid":["a"]})", R"({"Account_Tasks":[{},7]})", R"({"Account_Tasks":"x"})",
        R"({"ownerid":{"fullname":"x"}})", R"({"ownerid":true})"}) {
    EXPECT_EQ(fault_of(body), "E426") << body;
  }
}

std::string bound(const std::string& address) {
  return fault_of(R"({"primarycontactid@odata.bind":")" + address + "\"}");
}

TEST(Row, IsNotBoundToWhatIsNoAddress) {
  const std::string id = "(2ed6657d-e927-568b-95e1-2665a8aea6a2)";
  const std::string whole = "https://org.crm.dynamics.com/api/data/v9.2/contacts";
  for (const std::string& address : std::vector<std::string>{
           "/contacts" + id, "contacts" + id, whole + id, "$1", "/contacts(new_on=2024-01-31)",
           "/contacts(new_key='O''Neil',new_n=-5)", "/contacts(new_key='a, b=1')",
           "/contacts(new_key='%C3%84%20x')"}) {
    EXPECT_NE(bound(address), "E424") << address;
  }
  for (const char* address :
       {"Ada", "/contacts", "/contacts()", "/contacts(7)", "/contacts('a')", "/contacts(null)",
        "/contacts(new_key='B#1')", "/contacts(new_key='B%231')", "/contacts(new_key='a/b')",
        "/contacts(new_key='O'Neil')", "/contacts(new_key='a%2')", "/contacts(new_key=)",
        "/contacts(new_key='a'x)", "/contacts(new_key='a)", "https://elsewhere/contacts(1)"}) {
    EXPECT_EQ(bound(address), "E424") << address;
  }
  EXPECT_EQ(fault_of(R"j({"Account_Tasks@odata.bind":["/tasks(x)"]})j"), "E424");
  EXPECT_EQ(fault_of(R"({"primarycontactid@odata.bind":7})"), "E424");
}

TEST(Row, PartiesOfAnActivityHaveNoKeys) {
  EXPECT_EQ(write(R"({"email_activity_parties":[{"participationtypemask":2,)"
                  R"("partyid_systemuser":{"@bind":{"table":"systemuser","key":{"n":1}}}}]})",
                  {}, "email"),
            R"({"activityid":"$","email_activity_parties":[{"participationtypemask":2,)"
            R"j("partyid_systemuser@odata.bind":"/systemusers(n=1)"}]})j");
}

}  // namespace
}  // namespace fieldpost::dynamics
