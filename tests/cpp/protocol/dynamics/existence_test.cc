// Whether rows exist, asked once for many: what the answer says of each.
#include "protocol/dynamics/existence.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/dynamics/dynamics.h"

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

class ExistenceTest : public testing::Test {
 protected:
  // One question for each id.
  void ask(const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      Batch batch;
      Record record;
      record.event_id = batch.keep(id);
      record.body = batch.keep("{}");
      Call& call = calls_.emplace_back(dynamics_.encode(batch, record));
      call.record_id = id;
      call.asks = true;
      call.request.method = "GET";
      call.request.url = "https://org/api/data/v9.2/accounts(" + id + ")?$select=accountid";
      call.request.has_body = false;
    }
  }

  std::vector<Verdict> decode(int status, const std::string& body) const {
    std::vector<const Call*> calls;
    for (const Call& call : calls_) calls.push_back(&call);
    Response response;
    response.status = status;
    response.headers = {{"OData-Version", "4.0"}, {"Content-Type", "application/json"}};
    response.body = body;
    return dynamics_.decode_each(dynamics_.combine(calls), calls, response, 0);
  }

  Dynamics dynamics_{Json::parse(R"({
      "type": "dynamics365", "destination": "d", "url": "https://org", "batching": "bulk",
      "subscriptions": [{"id": "s", "action": "create", "table": "account"}],
      "tables": {"account": {"set": "accounts", "key": "accountid"}}})")};
  std::vector<Call> calls_;
};

const std::string kFirst = "2ED6657D-E927-568B-95E1-2665A8AEA6A2";
const std::string kFirstFound = "2ed6657d-e927-568b-95e1-2665a8aea6a2";
const std::string kSecond = "00000000-0000-0000-0000-000000000002";

TEST_F(ExistenceTest, AnIdIsFoundInWhateverLettersItIsWritten) {
  ask({kFirst, kSecond});
  const auto verdicts = decode(200, R"({"value":[{"accountid":")" + kFirstFound + "\"}]}");
  EXPECT_EQ(verdicts[0].kind, Kind::delivered);
  EXPECT_EQ(verdicts[1].kind, Kind::rejected);
  EXPECT_FALSE(verdicts[1].alone);
}

TEST_F(ExistenceTest, AListThatIsNotWholeProvesNothingAndFewerAreAskedFor) {
  ask({kFirst, kSecond});
  const std::string row = R"({"accountid":")" + kFirstFound + "\"}";
  for (const std::string& body :
       {R"({"value":[)" + row + R"(],"@odata.nextLink":"https://org/next"})",
        R"({"value":[)" + row + R"(,{"name":"A"}]})", R"({"value":[)" + row, std::string("{}")}) {
    for (const Verdict& verdict : decode(200, body)) {
      EXPECT_EQ(verdict.kind, Kind::rejected) << body;
      EXPECT_TRUE(verdict.alone) << body;
    }
  }
}

TEST_F(ExistenceTest, ARefusalOfTheListIsNoAnswerForARow) {
  ask({kFirst, kSecond});
  for (const int status : {400, 404, 414}) {
    for (const Verdict& verdict : decode(status, R"({"error":{"code":"0x80060888"}})")) {
      EXPECT_EQ(verdict.kind, Kind::rejected) << status;
      EXPECT_TRUE(verdict.alone) << status;
    }
  }
  for (const Verdict& verdict : decode(403, R"({"error":{"code":"0x80040220"}})")) {
    EXPECT_EQ(verdict.kind, Kind::unconfirmed) << "of the table, so of each row";
  }
}

}  // namespace
}  // namespace fieldpost
