#include "protocol/dynamics/dynamics.h"

#include <gtest/gtest.h>

#include <string>

#include "fieldpost/error.h"
#include "protocol/dynamics/ids.h"

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

const Dynamics& dynamics() {
  static const Dynamics kDynamics(Json::parse(R"({
    "type": "dynamics365", "destination": "d", "url": "https://org.crm.dynamics.com/",
    "client_id": "c-1", "on_unconfirmed": "hold",
    "subscriptions": [{"id": "s", "action": "create", "table": "account"}],
    "tables": {"account": {"set": "accounts", "key": "accountid",
                           "navigation": {"primarycontactid": "contact"}},
               "contact": {"set": "contacts", "key": "contactid"}}})"));
  return kDynamics;
}

Call encode(std::string_view event_id, std::string_view body) {
  Batch batch;
  Record record;
  record.event_id = batch.keep(event_id);
  record.body = batch.keep(body);
  return dynamics().encode(batch, record);
}

Response answer(int status, const std::string& code = "") {
  Response response;
  response.status = status;
  if (!code.empty()) response.body = R"({"error":{"code":")" + code + R"(","message":"m"}})";
  response.headers = {{"OData-Version", "4.0"}, {"x-ms-service-request-id", "r"}};
  return response;
}

TEST(DynamicsEncode, PostsTheTreeWithIdsThatDependOnTheEventOnly) {
  const Call call = encode("e", R"({"primarycontactid":{"firstname":"A"}})");
  const std::string root = row_id("d", "s", "e", "$");
  EXPECT_EQ(call.request.method, "POST");
  EXPECT_EQ(call.request.url, "https://org.crm.dynamics.com/api/data/v9.2/accounts");
  EXPECT_EQ(call.request.body,
            "{\"accountid\":\"" + root + "\",\"primarycontactid\":{" + "\"contactid\":\"" +
                row_id("d", "s", "e", "$.primarycontactid") + "\",\"firstname\":\"A\"}}");
  EXPECT_EQ(call.record_id, root);
  EXPECT_EQ(call.request_id, request_id(root));
  EXPECT_TRUE(call.replay_safe);
  std::string headers;
  for (const Header& header : call.request.headers) {
    headers += header.name + ": " + header.value + "\n";
  }
  EXPECT_EQ(headers,
            "Accept: application/json\nOData-MaxVersion: 4.0\nOData-Version: 4.0\n"
            "If-None-Match: null\nx-ms-client-request-id: " +
                call.request_id + "\nContent-Type: application/json\n");
}

TEST(DynamicsEncode, RefusesAnEventWithoutIdentity) {
  EXPECT_THROW(encode("", "{}"), CallFault);
  EXPECT_THROW(encode("e", "[]"), CallFault);
}

// The tables are shared; what a subscription says of columns counts for itself alone.
TEST(DynamicsEncode, ConvertsAsItsOwnSubscriptionSays) {
  const Dynamics one(Json::parse(R"({
    "type": "dynamics365", "destination": "d", "url": "https://o",
    "subscriptions": [
      {"id": "a", "action": "create", "table": "account"},
      {"id": "b", "action": "create", "table": "account",
       "columns": {"account": {"name": {"kind": "text", "max_length": 3, "truncate": true}}}}],
    "tables": {"account": {"set": "accounts", "key": "accountid",
                           "columns": {"code": {"kind": "choice", "labels": {"Hot": 1}}}}}})"));
  for (const bool cuts : {false, true}) {
    Batch batch;
    Record record;
    record.subscription = cuts ? 1 : 0;
    record.event_id = batch.keep("e");
    record.body = batch.keep(R"({"name":"abcdef","code":"hot"})");
    const std::string body = one.encode(batch, record).request.body;
    EXPECT_NE(body.find(cuts ? R"("name":"abc")" : R"("name":"abcdef")"), std::string::npos)
        << body;
    EXPECT_NE(body.find(R"("code":1)"), std::string::npos) << body;
  }
}

TEST(DynamicsEncode, KnowsTheTablesOfASubscriptionsOwnColumns) {
  try {
    const Dynamics one(Json::parse(R"({"type": "dynamics365", "destination": "d",
      "url": "https://o", "tables": {"account": {"set": "accounts", "key": "accountid"}},
      "subscriptions": [{"id": "a", "action": "create", "table": "account",
                         "columns": {"acount": {}, "account": 1}}]})"));
    FAIL();
  } catch (const DocumentError& error) {
    EXPECT_STREQ(error.what(),
                 "E614 table \"acount\" is not described at "
                 "$.protocol.subscriptions[0].columns.acount\n"
                 "E613 must be an object at $.protocol.subscriptions[0].columns.account");
  }
}

TEST(DynamicsDecode, TellsWhatWasCreated) {
  const Call call = encode("e", "{}");
  for (const int status : {201, 204}) {
    const Verdict verdict = dynamics().decode(call, answer(status), 0);
    EXPECT_EQ(verdict.kind, Kind::delivered);
    EXPECT_EQ(verdict.effect, "created");
    EXPECT_EQ(verdict.record_id, call.record_id);
    EXPECT_EQ(verdict.request_id, "r");
  }
}

TEST(DynamicsDecode, ASignInPageWithStatus200IsNoDelivery) {
  Response page;
  page.status = 200;
  page.body = "<html>Sign in</html>";
  const Verdict verdict = dynamics().decode(encode("e", "{}"), page, 0);
  EXPECT_EQ(verdict.kind, Kind::pause);
  EXPECT_EQ(verdict.code, "E505");
}

TEST(DynamicsDecode, ALostAnswerIsSentAgain) {
  Response lost;
  lost.fault = Fault::lost;
  EXPECT_EQ(dynamics().decode(encode("e", "{}"), lost, 0).kind, Kind::again);
}

TEST(DynamicsDecode, AConflictAsksForTheRow) {
  const Call call = encode("e", "{}");
  const Verdict verdict = dynamics().decode(call, answer(412, "0x80040237"), 0);
  EXPECT_EQ(verdict.kind, Kind::verify);
  ASSERT_TRUE(verdict.question);
  EXPECT_EQ(verdict.question->method, "GET");
  EXPECT_EQ(verdict.question->url, "https://org.crm.dynamics.com/api/data/v9.2/accounts(" +
                                       call.record_id + ")?$select=accountid");
  EXPECT_FALSE(verdict.question->has_body);
}

TEST(DynamicsDecodeAnswer, SaysWhoseTheRowIs) {
  const Call call = encode("e", "{}");
  const struct {
    int status;
    const char* code;
    Kind kind;
  } cases[] = {
      {200, "", Kind::delivered},
      {404, "0x80040217", Kind::rejected},
      {404, "", Kind::unconfirmed},  // without an error object the service did not speak
      {403, "0x80040220", Kind::unconfirmed},
      {400, "0x80060888", Kind::unconfirmed},
      {412, "0x80040237", Kind::unconfirmed},
      {401, "", Kind::sign_in},
      {429, "0x80072322", Kind::again},
      {503, "", Kind::again},
  };
  for (const auto& c : cases) {
    const Verdict verdict = dynamics().decode_answer(call, answer(c.status, c.code), 0);
    EXPECT_EQ(verdict.kind, c.kind) << c.status << c.code;
    EXPECT_FALSE(verdict.question);
    EXPECT_EQ(verdict.code.empty(), c.status == 200 || c.kind == Kind::rejected) << c.status;
  }
}

}  // namespace
}  // namespace fieldpost
