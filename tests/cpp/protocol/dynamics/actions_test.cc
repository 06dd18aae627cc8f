#include "protocol/dynamics/actions.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/dynamics/dynamics.h"
#include "protocol/dynamics/ids.h"
#include "sales_tables.h"

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

const std::string kApi = "https://org.crm.dynamics.com/api/data/v9.2/";

// A destination with one subscription, and a record of it.
class Acting {
 public:
  // `per_day`: operations of a day; 0: no cap.
  explicit Acting(const char* subscription, int per_day = 0)
      : dynamics_(document(subscription, per_day)) {}

  Call encode(const std::string& particulars, const std::string& body = "") const {
    Batch batch;
    Record record;
    record.event_id = batch.keep("e");
    record.body = batch.keep(body);
    record.headers = batch.keep(particulars);
    return dynamics_.encode(batch, record);
  }
  // "PATCH accounts(…) If-Match: * {…}"
  static std::string told(const Call& call) {
    std::string text = call.request.method + " " + call.request.url.substr(kApi.size());
    for (const Header& header : call.request.headers) {
      const bool is_usual = header.name == "Accept" || header.name.starts_with("OData") ||
                            header.name.starts_with("x-ms") || header.name == "Content-Type" ||
                            header.value == "null";
      if (!is_usual) text += " " + header.name + ": " + header.value;
    }
    return call.request.has_body ? text + " " + call.request.body : text;
  }
  std::string fault(const std::string& particulars, const std::string& body = "{}") const {
    try {
      encode(particulars, body);
    } catch (const CallFault& fault) {
      return fault.code;
    }
    return "";
  }
  Verdict decode(const Call& call, int status, const std::string& code = "") const {
    Response response;
    response.status = status;
    response.headers = {{"OData-Version", "4.0"}};
    if (!code.empty()) response.body = R"({"error":{"code":")" + code + R"(","message":"m"}})";
    return dynamics_.decode(call, response, 0);
  }
  const Dynamics& dynamics() const { return dynamics_; }

 private:
  static Json document(const char* subscription, int per_day) {
    Json json = {{"type", "dynamics365"}, {"destination", "d"}};
    if (per_day > 0) json["operations_per_day"] = per_day;
    json["url"] = "https://org.crm.dynamics.com";
    json["subscriptions"] = Json::array({Json::parse(subscription)});
    json["subscriptions"][0]["id"] = "s";
    json["subscriptions"][0]["table"] = "account";
    json["tables"] = dynamics::sales_tables();
    return json;
  }

  Dynamics dynamics_;
};

std::string row(const char* key, const char* table = "account") {
  return key_id("https://org.crm.dynamics.com", table, key);
}

TEST(Actions, AreTheRequestsThatTheServiceKnows) {
  const Acting update(R"({"action":"update","key":"value"})");
  EXPECT_EQ(Acting::told(update.encode(R"({"key":"A"})", R"({"fax":"1","accountid":"x"})")),
            "PATCH accounts(" + row("a") + R"() If-Match: * {"fax":"1"})");
  const Acting upsert(R"({"action":"upsert","key":"columns"})");
  EXPECT_EQ(Acting::told(upsert.encode(R"({"key":{"accountnumber":"7"}})",
                                       R"({"accountnumber":"8","fax":"1"})")),
            "PATCH accounts(accountnumber='7')?$select=accountid Prefer: return=representation "
            R"({"fax":"1"})");
  const Acting remove(R"({"action":"delete","key":"value","if_match":true})");
  EXPECT_EQ(Acting::told(remove.encode(R"({"key":1,"if_match":"W/\"5\""})")),
            "DELETE accounts(" + row("1") + ") If-Match: W/\"5\"");
  const char* tie =
      R"({"action":"associate","key":"value","relationship":"accountleads_association",
          "to":{"table":"lead","key":"value"}})";
  const Acting associate(tie);
  const std::string both = R"({"key":"a","to":"b"})";
  EXPECT_EQ(Acting::told(associate.encode(both)),
            "POST accounts(" + row("a") + ")/accountleads_association/$ref {\"@odata.id\":\"" +
                kApi + "leads(" + row("b", "lead") + ")\"}");
}

TEST(Actions, AnUpsertInTwoStepsTellsWhatMayFollow) {
  const Acting upsert(R"({"action":"upsert","key":"value","on_create":true})");
  const Call first = upsert.encode(R"({"key":"a","on_create":{"fax":"2"}})", R"({"name":"n"})");
  EXPECT_EQ(Acting::told(first), "PATCH accounts(" + row("a") + R"() If-Match: * {"name":"n"})");
  const auto second = upsert.dynamics().successor(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->when, "where the row is not there");
  EXPECT_EQ(Acting::told(*second->call),
            "PATCH accounts(" + row("a") + R"() If-None-Match: * {"name":"n","fax":"2"})");
  const auto third = upsert.dynamics().successor(*second->call);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->when, "where the row is there by now");
  EXPECT_EQ(third->call->request, first.request);
  EXPECT_FALSE(upsert.dynamics().successor(*third->call));
  const Acting plain(R"({"action":"upsert","key":"value"})");
  EXPECT_FALSE(plain.dynamics().successor(plain.encode(R"({"key":"a"})", R"({"name":"n"})")));
}

TEST(Actions, AChangeSetOfMoreThanADaysRequestsIsNoRequest) {
  const std::string tasks = R"({"name":"n","Account_Tasks":[{"subject":"1"},{"subject":"2"}]})";
  const char* subscription = R"({"action":"upsert","key":"value"})";
  EXPECT_EQ(Acting(subscription).encode(R"({"key":"a"})", tasks).operations, 3u);
  EXPECT_EQ(Acting(subscription, 3).fault(R"({"key":"a"})", tasks), "");
  EXPECT_EQ(Acting(subscription, 2).fault(R"({"key":"a"})", tasks), "E523");
}

TEST(Actions, RefuseWhatTheyCannotMakeARequestOf) {
  const Acting upsert(R"({"action":"upsert","key":"value","if_match":true,"impersonate":"user"})");
  const std::string user = R"("impersonate":"2ed6657d-e927-568b-95e1-2665a8aea6a2")";
  EXPECT_EQ(upsert.fault(R"({"key":"a","if_match":"*",)" + user + "}"), "");
  EXPECT_EQ(upsert.fault("{}"), "E517");
  EXPECT_EQ(upsert.fault(""), "E517");
  EXPECT_EQ(upsert.fault(R"({"key":{"accountid":"x"}})"), "E517");
  EXPECT_EQ(upsert.fault(R"({"key":["a"]})"), "E517");
  EXPECT_EQ(upsert.fault(R"({"key":"a",)" + user + "}"), "E520");
  EXPECT_EQ(upsert.fault(R"({"key":"a","if_match":"a\r\nX: y",)" + user + "}"), "E520");
  EXPECT_EQ(upsert.fault(R"({"key":"a","if_match":"*","impersonate":"me"})"), "E521");
  EXPECT_EQ(upsert.fault(R"({"key":"a","if_match":"*",)" + user + "}", "[]"), "E513");
}

TEST(Actions, AnUpsertTellsWhatItDid) {
  const Acting upsert(R"({"action":"upsert","key":"value"})");
  const Call call = upsert.encode(R"({"key":"a"})", "{}");
  EXPECT_EQ(upsert.decode(call, 201).effect, "created");
  EXPECT_EQ(upsert.decode(call, 200).effect, "updated");
  EXPECT_EQ(upsert.decode(call, 204).effect, "accepted");
  EXPECT_EQ(call.record_id, row("a"));
}

TEST(Actions, AnUpsertThatLosesARaceGoesOnceMore) {
  const Acting upsert(R"({"action":"upsert","key":"value"})");
  const Call call = upsert.encode(R"({"key":"a"})", "{}");
  for (const char* code : {"0x80040237", "0x80060892"}) {
    const Verdict first = upsert.decode(call, 412, code);
    ASSERT_EQ(first.kind, Kind::go_on);
    EXPECT_EQ(first.next->request.body, call.request.body);
    EXPECT_EQ(upsert.decode(*first.next, 412, code).kind, Kind::rejected);
  }
  EXPECT_EQ(upsert.decode(call, 412, "0x80040333").kind, Kind::rejected);
}

TEST(Actions, ColumnsOfACreationTakeTwoSteps) {
  const Acting upsert(R"({"action":"upsert","key":"value","on_create":true})");
  const Call update = upsert.encode(R"({"key":"a","on_create":{"b":2}})", R"({"a":1})");
  EXPECT_EQ(Acting::told(update), "PATCH accounts(" + row("a") + R"() If-Match: * {"a":1})");
  EXPECT_EQ(upsert.decode(update, 204).effect, "updated");
  const Verdict missing = upsert.decode(update, 404, "0x80040217");
  ASSERT_EQ(missing.kind, Kind::go_on);
  const Call& creation = *missing.next;
  EXPECT_EQ(Acting::told(creation),
            "PATCH accounts(" + row("a") + R"() If-None-Match: * {"a":1,"b":2})");
  EXPECT_EQ(creation.request_id, update.request_id);
  EXPECT_EQ(upsert.decode(creation, 204).effect, "created");
  const Verdict there = upsert.decode(creation, 412, "0x80040237");
  ASSERT_EQ(there.kind, Kind::go_on);
  EXPECT_EQ(Acting::told(*there.next), Acting::told(update));
  EXPECT_EQ(upsert.decode(*there.next, 404, "0x80040217").kind, Kind::rejected);
}

TEST(Actions, ARowThatBringsItsIdDoesNotProveWhoCreatedIt) {
  const Acting create(R"({"action":"create"})");
  const std::string id = R"("accountid":"aaaaaaaa-0000-0000-0000-000000000001")";
  const Call plain = create.encode("", "{" + id + "}");
  EXPECT_FALSE(create.dynamics().question(plain));
  EXPECT_EQ(create.decode(plain, 412, "0x80040237").kind, Kind::rejected);
  const Call tree = create.encode("", "{" + id + R"(,"primarycontactid":{"lastname":"L"}})");
  const std::string contact = row_id("d", "s", "e", "$.primarycontactid");
  ASSERT_TRUE(create.dynamics().question(tree));
  EXPECT_EQ(create.dynamics().question(tree)->url,
            kApi + "contacts(" + contact + ")?$select=contactid");
  EXPECT_EQ(create.decode(tree, 412, "0x80040237").kind, Kind::verify);
}

TEST(Actions, WhatIsGoneIsGone) {
  const Acting remove(R"({"action":"delete","key":"value"})");
  const Call call = remove.encode(R"({"key":"a"})");
  EXPECT_EQ(remove.decode(call, 204).effect, "deleted");
  EXPECT_EQ(remove.decode(call, 404, "0x80040217").effect, "unchanged");
  EXPECT_EQ(remove.decode(call, 404).kind, Kind::rejected);  // the service did not say so
  const Acting update(R"({"action":"update","key":"value"})");
  const Verdict verdict = update.decode(update.encode(R"({"key":"a"})", "{}"), 404, "0x80040217");
  EXPECT_EQ(verdict.kind, Kind::rejected);
  EXPECT_EQ(verdict.code, "0x80040217");
  EXPECT_NE(verdict.action_needed, "");
}

TEST(Actions, ATreeBelowAnUpdateIsOneChangeSet) {
  const Acting upsert(R"({"action":"upsert","key":"value"})");
  const Call call = upsert.encode(
      R"({"key":"a"})", R"({"name":"A","primarycontactid":{"lastname":"L"},)"
                        R"("Account_Tasks":[{"subject":"S"}],"accountleads_association":[{}]})");
  const std::string contact = row_id("d", "s", "e", "$.primarycontactid");
  const std::string task = row_id("d", "s", "e", "$.Account_Tasks[0]");
  const std::string lead = row_id("d", "s", "e", "$.accountleads_association[0]");
  std::string written;
  for (const dynamics::Part& part : dynamics::write_of(call).parts) {
    written += part.method + " " + part.path + " " + part.body + "\n";
  }
  EXPECT_EQ(written,
            R"(POST contacts {"contactid":")" + contact + R"(","lastname":"L"})" + "\n" +
                "PATCH accounts(" + row("a") + ")?$select=accountid " +
                R"({"name":"A","primarycontactid@odata.bind":"/contacts()" + contact + ")\"}\n" +
                R"(POST tasks {"activityid":")" + task +
                R"(","subject":"S","regardingobjectid_account_task@odata.bind":"/accounts()" +
                row("a") + ")\"}\n" + R"(POST leads {"leadid":")" + lead + "\"}\n" +
                "POST accounts(" + row("a") + ")/accountleads_association/$ref " +
                R"({"@odata.id":")" + kApi + "leads(" + lead + ")\"}\n");
  EXPECT_EQ(upsert.dynamics().question(call)->url,
            kApi + "contacts(" + contact + ")?$select=contactid");
}

TEST(Actions, AGatewaysAnswerLeavesInDoubtWhatWouldBeRefusedOnceDone) {
  const Acting dated(R"({"action":"upsert","key":"value","if_match":true})");
  const Acting update(R"({"action":"update","key":"value","if_match":true})");
  const Acting create(R"({"action":"create"})");
  const std::string version = R"({"key":"a","if_match":"W/\"5\""})";
  const struct {
    int status;
    const char* code;
    bool in_doubt;
  } cases[] = {{502, "", true},           {503, "", true},           {504, "", true},
               {504, "0x80040216", true}, {500, "", true},           {500, "0x80040216", false},
               {429, "", false},          {412, "0x80060882", false}};
  for (const auto& c : cases) {
    const auto unheard = [&](const Acting& acting, const std::string& particulars,
                             const std::string& body = "{}") {
      return acting.decode(acting.encode(particulars, body), c.status, c.code).unheard;
    };
    EXPECT_EQ(unheard(dated, version), c.in_doubt) << c.status;
    EXPECT_EQ(unheard(update, version), c.in_doubt) << c.status;
    EXPECT_EQ(unheard(create, "", R"({"accountid":"aaaaaaaa-0000-0000-0000-000000000001"})"),
              c.in_doubt)
        << c.status;
    EXPECT_FALSE(unheard(update, R"({"key":"a","if_match":"*"})")) << c.status;
    EXPECT_FALSE(unheard(create, "")) << "its row tells";
  }
}

TEST(Actions, AnUpdateTakesNoNestedRows) {
  const Acting update(R"({"action":"update","key":"value"})");
  const std::string key = R"({"key":"a"})";
  EXPECT_EQ(update.fault(key, R"({"primarycontactid":{"lastname":"L"}})"), "E522");
  EXPECT_EQ(update.fault(key, R"({"Account_Tasks":[{"subject":"S"}]})"), "E522");
  EXPECT_EQ(update.fault(key, R"({"Account_Tasks":[]})"), "");
}

TEST(Actions, ARefusedNameIsAskedFor) {
  const Acting upsert(R"({"action":"upsert","key":"value"})");
  const Call call = upsert.encode(R"({"key":"a"})", R"({"Name":"A"})");
  const Verdict verdict = upsert.decode(call, 400, "0x80048d19");
  ASSERT_EQ(verdict.kind, Kind::go_on);
  const Call& asks = *verdict.next;
  EXPECT_EQ(asks.request.method, "GET");
  EXPECT_TRUE(asks.request.url.ends_with("?$select=Name")) << asks.request.url;
  const struct {
    int status;
    const char* code;
    Kind kind;
  } cases[] = {
      {200, "", Kind::rejected},
      {404, "0x80040217", Kind::rejected},
      {400, "0x80060888", Kind::pause_subscription},
      {400, "0x0", Kind::pause_subscription},
      {403, "0x80040220", Kind::rejected},
      {503, "", Kind::again},
      {401, "", Kind::sign_in},
  };
  for (const auto& c : cases) {
    const Verdict told = upsert.decode(asks, c.status, c.code);
    EXPECT_EQ(told.kind, c.kind) << c.status << c.code;
    const bool is_told = c.kind == Kind::rejected || c.kind == Kind::pause_subscription;
    EXPECT_EQ(told.code == "0x80048d19", is_told) << c.status << c.code;
  }
}

}  // namespace
}  // namespace fieldpost
