#include "protocol/dynamics/reference.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/ids.h"
#include "sales_tables.h"

namespace fieldpost::dynamics {
namespace {

const std::string kEnvironment = "https://org.crm.dynamics.com";
const Environment kOrg{kEnvironment, {}};

// What stands in the brackets; "-" where the key is nothing, the fault's code where it is refused.
std::string key_of(const std::string& json) {
  try {
    JsonBody body(json);
    const References references(tables(), kOrg);
    const auto found = references.find(tables().at("account"), body, body.whole());
    return found ? found->key : "-";
  } catch (const CallFault& fault) {
    return fault.code;
  }
}

std::string business(const char* key) { return key_id(kEnvironment, "account", key); }

TEST(Reference, ABusinessKeyIsOneValueHoweverItIsWritten) {
  EXPECT_EQ(key_of(R"("Acme")"), business("acme"));
  EXPECT_EQ(key_of(R"(" ACME\t")"), business("acme"));
  EXPECT_EQ(key_of(R"("Stra\u00dfe")"), business("STRASSE"));
  EXPECT_EQ(key_of(R"("Ame\u0301lie")"), business("AM\u00c9LIE"));
  EXPECT_EQ(key_of("17"), key_of(R"("17")"));
  EXPECT_NE(key_of("17"), key_of("18"));
  EXPECT_EQ(key_id("https://ORG.crm.dynamics.com/", "account", "a"),
            key_id("https://org.crm.dynamics.com", "account", "a"));
  EXPECT_NE(key_id(kEnvironment, "contact", "a"), key_id(kEnvironment, "account", "a"));
}

TEST(Reference, ANumberIsOneKeyHoweverItIsWritten) {
  for (const char* number : {"1001", "1001.0", "1.001e3", "10010e-1", "1.001E+3"}) {
    EXPECT_EQ(key_of(number), business("1001")) << number;
    EXPECT_EQ(key_of(std::string(R"({"n":)") + number + "}"), "n=1001") << number;
  }
  EXPECT_EQ(key_of("-0.0"), business("0"));
  EXPECT_EQ(key_of("1.50"), business("1.5"));
  EXPECT_EQ(key_of(R"({"n":1.5e+0})"), "n=1.5");
  EXPECT_NE(key_of("9007199254740993"), key_of("9007199254740992"));
  EXPECT_EQ(key_of("9007199254740993.0"), business("9007199254740993"));
}

TEST(Reference, ARowOfANumberThatWasWrittenOtherwiseIsFound) {
  const Environment renamed{kEnvironment, {"https://old.crm.dynamics.com"}};
  const auto former_of = [](const Environment& environment, const std::string& json) {
    JsonBody body(json);
    const References references(tables(), environment);
    return references.find(tables().at("account"), body, body.whole())->former;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(former_of(kOrg, "1001"), Ids{});
  EXPECT_EQ(former_of(kOrg, R"("1001.0")"), Ids{});
  EXPECT_EQ(former_of(kOrg, "1001.0"), Ids{business("1001.0")});
  EXPECT_EQ(former_of(renamed, "1001.0"),
            (Ids{key_id(renamed.former[0], "account", "1001"), business("1001.0"),
                 key_id(renamed.former[0], "account", "1001.0")}));
}

TEST(Reference, TheFormOfIdsIsAPromise) {
  EXPECT_EQ(key_id("https://contoso.crm4.dynamics.com", "account", "ACME-7"),
            key_id("https://contoso.crm4.dynamics.com/", "account", " acme-7 "));
}

TEST(Reference, AKeyOfColumnsIsWrittenAsTheServiceReadsIt) {
  const struct {
    const char* json;
    const char* key;
  } cases[] = {
      {R"({"accountid":"2ED6657D-e927-568b-95e1-2665a8aea6a2"})",
       "2ED6657D-e927-568b-95e1-2665a8aea6a2"},
      {R"({"accountnumber":"A 1"})", "accountnumber='A%201'"},
      {R"({"accountnumber":"O'Brien"})", "accountnumber='O%27%27Brien'"},
      {R"({"a":"x","b":5,"c":true,"d":-1.50})", "a='x',b=5,c=true,d=-1.50"},
      {R"({"opened":"2026-03-01T23:30:00Z"})", "opened=2026-03-02"},
      {R"({"industrycode":"Agriculture"})", "industrycode=2"},
      {R"({"_primarycontactid_value":"2ed6657d-e927-568b-95e1-2665a8aea6a2"})",
       "_primarycontactid_value=2ed6657d-e927-568b-95e1-2665a8aea6a2"},
      {R"({"name":"\u00e9"})", "name='%C3%A9'"},
      {R"({"accountnumber":""})", "-"},
      {R"({"a":1,"b":null})", "-"},
      {"{}", "-"},
      {"null", "-"},
      {R"("  ")", "-"},
      {R"({"accountid":"7"})", "E515"},
      {R"({"_primarycontactid_value":"7"})", "E515"},
      {R"({"a":[1]})", "E517"},
      {R"({"a":1,"a":2})", "E517"},
      {R"({"a='x',b":1})", "E517"},
      {"[1]", "E517"},
  };
  for (const auto& c : cases) EXPECT_EQ(key_of(c.json), c.key) << c.json;
}

TEST(Reference, NoValueLeavesItsPlace) {
  EXPECT_EQ(key_of(R"j({"n":"'),x=('"})j"), "n='%27%27%29%2Cx%3D%28%27%27'");
  EXPECT_EQ(key_of(R"j({"n":"a,b=(c)"})j"), "n='a%2Cb%3D%28c%29'");
  for (const char* c : {"/", "<", ">", "*", "%", "&", ":", "\\\\", "?", "+", "#", "\\n", "\\u0000",
                        "\\ud800", "\\u007f"}) {
    EXPECT_EQ(key_of(std::string(R"({"n":"a)") + c + R"(b"})"), "E516") << c;
  }
  EXPECT_EQ(key_of(R"({"n":1.0000000000000000000000001e+24})"), "E516");
}

}  // namespace
}  // namespace fieldpost::dynamics
