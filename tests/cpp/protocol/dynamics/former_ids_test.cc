#include "protocol/dynamics/former_ids.h"

#include <gtest/gtest.h>

#include <string>

#include "protocol/dynamics/dynamics.h"
#include "protocol/dynamics/ids.h"
#include "protocol/dynamics/write.h"
#include "sales_tables.h"

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

const std::string kApi = "https://org.api.crm4.dynamics.com/api/data/v9.2/";
const std::string kToday = "https://org.crm4.dynamics.com";
const std::string kFormer = "https://org.api.crm4.dynamics.com";
const std::string kGuid = "5d1e0000-0000-4000-8000-000000000001";

// A destination whose rows may have been made under a former spelling of the environment.
class Moved {
 public:
  explicit Moved(const char* subscription) : dynamics_(document(subscription)) {}

  Call encode(const std::string& particulars, const std::string& body = "{}") const {
    Batch batch;
    Record record;
    record.event_id = batch.keep("e");
    record.body = batch.keep(body);
    record.headers = batch.keep(particulars);
    return dynamics_.encode(batch, record);
  }
  // What follows where the service misses the row of an id.
  Call after_missing(const Call& call, const std::string& id) const {
    const Verdict verdict = decode(call, id);
    EXPECT_EQ(verdict.kind, Kind::go_on) << call.request.url;
    return verdict.next ? *verdict.next : Call();
  }
  Verdict decode(const Call& call, const std::string& missing_id) const {
    Response response;
    response.status = 404;
    response.headers = {{"OData-Version", "4.0"}};
    response.body = R"({"error":{"code":"0x80040217","message":"account With Id = )" + missing_id +
                    R"( Does Not Exist"}})";
    return dynamics_.decode(call, response, 0);
  }
  const Dynamics& dynamics() const { return dynamics_; }

 private:
  static Json document(const char* subscription) {
    Json json = {{"type", "dynamics365"}, {"destination", "d"}};
    json["url"] = kFormer;
    json["environment"] = kToday;
    json["former_environments"] = {kFormer};
    json["subscriptions"] = Json::array({Json::parse(subscription)});
    json["subscriptions"][0]["id"] = "s";
    json["subscriptions"][0]["table"] = "account";
    json["tables"] = dynamics::sales_tables();
    json["tables"]["systemuser"]["others"] = true;
    return json;
  }

  Dynamics dynamics_;
};

std::string address(const Call& call) {
  return call.request.method + " " + call.request.url.substr(kApi.size());
}

std::string today(const char* key, const char* table = "account") {
  return key_id(kToday, table, key);
}
std::string former(const char* key, const char* table = "account") {
  return key_id(kFormer, table, key);
}

TEST(FormerIds, AnUpsertLooksForTheRowUnderEachIdBeforeItMakesOne) {
  const Moved upsert(R"({"action":"upsert","key":"value"})");
  const Call first = upsert.encode(R"({"key":"a"})", R"({"fax":"1"})");
  EXPECT_EQ(address(first), "PATCH accounts(" + today("a") + ")");
  EXPECT_TRUE(first.request.has_header("If-Match"));
  const Call second = upsert.after_missing(first, today("a"));
  EXPECT_EQ(address(second), "PATCH accounts(" + former("a") + ")");
  EXPECT_TRUE(second.request.has_header("If-Match"));
  EXPECT_EQ(second.record_id, former("a"));
  const Call third = upsert.after_missing(second, former("a"));
  EXPECT_EQ(address(third), "PATCH accounts(" + today("a") + ")");
  EXPECT_TRUE(third.request.has_header("If-None-Match"));
  EXPECT_EQ(third.record_id, today("a"));
}

TEST(FormerIds, APreviewTellsOfEachStep) {
  const Moved upsert(R"({"action":"upsert","key":"value"})");
  const Call first = upsert.encode(R"({"key":"a"})");
  const auto second = upsert.dynamics().successor(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->when, "where the row is not there under this id");
  EXPECT_EQ(address(*second->call), "PATCH accounts(" + former("a") + ")");
  const auto third = upsert.dynamics().successor(*second->call);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->when, "where the row is not there");
}

TEST(FormerIds, UpdatesAndDeletesFindTheRowUnderItsFormerId) {
  for (const char* action :
       {R"({"action":"update","key":"value"})", R"({"action":"delete","key":"value"})"}) {
    const Moved moved(action);
    const Call first = moved.encode(R"({"key":"a"})");
    const Call second = moved.after_missing(first, today("a"));
    EXPECT_EQ(second.record_id, former("a"));
    EXPECT_NE(moved.decode(second, former("a")).kind, Kind::go_on);
  }
}

TEST(FormerIds, TiesFindBothRows) {
  const Moved tie(R"({"action":"associate","key":"value",
      "relationship":"accountleads_association","to":{"table":"lead","key":"value"}})");
  const Call first = tie.encode(R"({"key":"a","to":"b"})");
  const Call second = tie.after_missing(first, today("b", "lead"));
  EXPECT_EQ(address(second), "POST accounts(" + today("a") + ")/accountleads_association/$ref");
  EXPECT_NE(second.request.body.find(former("b", "lead")), std::string::npos);
  const Call third = tie.after_missing(second, today("a"));
  EXPECT_EQ(address(third), "POST accounts(" + former("a") + ")/accountleads_association/$ref");
}

TEST(FormerIds, ABindTriesEachIdAndThenWaitsForTodays) {
  const Moved create(R"({"action":"create"})");
  const char* body = R"({"primarycontactid":{"@bind":{"table":"contact","key":"c"}},
                         "parentaccountid":{"@bind":{"table":"account","key":"p"}}})";
  const Call first = create.encode("", body);
  const Call second = create.after_missing(first, today("c", "contact"));
  EXPECT_NE(second.request.body.find(former("c", "contact")), std::string::npos);
  EXPECT_NE(second.request.body.find(today("p")), std::string::npos);
  const Call third = create.after_missing(second, former("c", "contact"));
  EXPECT_EQ(third.request.body, first.request.body);
  EXPECT_NE(create.decode(third, today("c", "contact")).kind, Kind::go_on);
  EXPECT_EQ(create.decode(third, today("p")).kind, Kind::go_on);
}

TEST(FormerIds, ATreeKeepsItsOtherPartsAsTheyAre) {
  const Moved upsert(R"({"action":"upsert","key":"value"})");
  const Call first = upsert.encode(R"({"key":"a"})", R"({"Account_Tasks":[{"subject":"S"}]})");
  Response answer;
  answer.status = 404;
  answer.headers = {{"Content-Type", "multipart/mixed; boundary=b"}};
  answer.body =
      "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
      "--c\r\nContent-ID: 1\r\n\r\nHTTP/1.1 404 Not Found\r\nOData-Version: 4.0\r\n\r\n"
      R"({"error":{"code":"0x80040217","message":"gone"}})"
      "\r\n--c--\r\n--b--\r\n";
  const Verdict verdict = upsert.dynamics().decode(first, answer, 0);
  ASSERT_EQ(verdict.kind, Kind::go_on);
  const Call& second = *verdict.next;
  const auto& parts = dynamics::write_of(second).parts;
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[0].path, "accounts(" + former("a") + ")");
  EXPECT_NE(parts[1].body.find("/accounts(" + former("a") + ")"), std::string::npos);
  EXPECT_EQ(second.request.body.find(today("a")), std::string::npos);
}

TEST(FormerIds, AKeyThatIsAnIdIsTakenAsOneWhereNoRowIsThereByIt) {
  const Moved update(R"({"action":"update","key":"value"})");
  const Call first = update.encode(R"({"key":")" + kGuid + "\"}");
  EXPECT_EQ(first.record_id, today(kGuid.c_str()));
  const Call second = update.after_missing(first, first.record_id);
  const Call third = update.after_missing(second, second.record_id);
  EXPECT_EQ(third.record_id, kGuid);
}

TEST(FormerIds, AKeyThatIsAnIdIsOneWhereOnlyOthersMakeTheRows) {
  const Moved create(R"({"action":"create"})");
  const Call call = create.encode(
      "", R"({"ownerid":{"@bind":{"table":"systemuser","key":" )" + kGuid + R"( "}}})");
  EXPECT_NE(call.request.body.find("/systemusers(" + kGuid + ")"), std::string::npos);
}

TEST(FormerIds, OfSeveralTheMessageTellsWhichIsMissed) {
  const dynamics::FormerIds some = {{"aa", {"b"}}, {"cc", {"d"}}};
  EXPECT_EQ(dynamics::missed_id(some, "contact With Id = CC Does Not Exist"), "cc");
  EXPECT_EQ(dynamics::missed_id(some, "gone"), "");
  EXPECT_EQ(dynamics::missed_id({{"aa", {"b"}}}, "gone"), "aa");
  EXPECT_EQ(dynamics::missed_id({{"aa", {"b"}}}, "With Id = " + kGuid + " gone"), "");
}

}  // namespace
}  // namespace fieldpost
