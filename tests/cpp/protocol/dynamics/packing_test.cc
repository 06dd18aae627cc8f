// Records of Dynamics 365 in one request: the bytes, and what one answer says of each.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocol/dynamics/dynamics.h"
#include "protocol/dynamics/ids.h"
#include "protocol/dynamics/multipart.h"

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

class PackingTest : public testing::Test {
 protected:
  void open(const std::string& batching, const std::string& bulk = "{}") {
    dynamics_ = std::make_unique<Dynamics>(Json::parse(R"({
      "type": "dynamics365", "destination": "d", "url": "https://org", "batching": ")" +
                                                       batching + R"(", "bulk": )" + bulk + R"(,
      "subscriptions": [{"id": "s", "action": "create", "table": "account"}],
      "tables": {"account": {"set": "accounts", "key": "accountid",
                             "navigation": {"primarycontactid": {"table": "contact"}}},
                 "contact": {"set": "contacts", "key": "contactid"}}})"));
  }

  // Calls of events e0, e1, ...
  void encode(const std::vector<std::string>& bodies) {
    calls_.clear();
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      Batch batch;
      Record record;
      record.event_id = batch.keep("e" + std::to_string(i));
      record.body = batch.keep(bodies[i]);
      calls_.push_back(dynamics_->encode(batch, record));
    }
  }

  std::vector<const Call*> calls() const {
    std::vector<const Call*> list;
    for (const Call& call : calls_) list.push_back(&call);
    return list;
  }

  std::vector<Verdict> decode(const Response& response) {
    const Call combined = dynamics_->combine(calls());
    auto verdicts = dynamics_->decode_each(combined, calls(), response, 0);
    lesson_ = dynamics_->learn(combined, calls_.size(), response);
    return verdicts;
  }

  std::string id(int i) const { return calls_.at(static_cast<std::size_t>(i)).record_id; }

  std::unique_ptr<Dynamics> dynamics_;
  std::vector<Call> calls_;
  Protocol::Lesson lesson_;
};

Response answer(int status, std::string body = "", std::string type = "application/json") {
  Response response;
  response.status = status;
  response.headers = {{"OData-Version", "4.0"}, {"Content-Type", std::move(type)}};
  response.body = std::move(body);
  response.elapsed_s = 2;
  return response;
}

Response refusal(int status, const std::string& code) {
  return answer(status, R"({"error":{"code":")" + code + R"(","message":"m"}})");
}

// A batch's answer; each part is (Content-ID or "", an HTTP answer).
Response multipart(const std::vector<std::pair<std::string, std::string>>& parts,
                   int status = 200) {
  std::string body;
  for (const auto& [content_id, text] : parts) {
    std::vector<Header> headers = {{"content-type", "application/http"}};
    if (!content_id.empty()) headers.push_back({"CONTENT-ID", content_id});
    write_part(body, "r", headers, text);
  }
  write_end(body, "r");
  return answer(status, body, "multipart/mixed; boundary=\"r\"");
}

const std::string kDone = "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n\r\n";

std::string failed(int status, const std::string& code, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " No\r\n" + headers +
         "\r\n{\"error\":{\"code\":\"" + code + "\",\"message\":\"m\"}}\r\n";
}

TEST_F(PackingTest, ABatchIsExactToTheLastLineEnd) {
  open("batch");
  encode({R"({"name":"A"})", R"({"name":"B","primarycontactid":{"lastname":"C"}})"});
  const Request request = dynamics_->combine(calls()).request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://org/api/data/v9.2/$batch");
  std::string type;
  for (const Header& header : request.headers) {
    if (header.name == "Content-Type") type = header.value;
  }
  const std::string boundary(boundary_of(type));
  const auto part = [&](int i) {
    const auto& call = calls_[static_cast<std::size_t>(i)];
    return "--" + boundary +
           "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
           "Content-ID: " +
           std::to_string(i + 1) +
           "\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nx-ms-client-request-id: " +
           call.request_id + "\r\nContent-Type: application/json\r\n\r\n" + call.request.body +
           "\r\n";
  };
  EXPECT_EQ(request.body, part(0) + part(1) + "--" + boundary + "--\r\n");
  EXPECT_EQ(dynamics_->combine(calls()).request.body, request.body) << "the same each time";
}

TEST_F(PackingTest, ABoundaryOccursInNoBody) {
  open("batch");
  encode({"{}", "{}"});
  const auto boundary_now = [&] {
    const Request request = dynamics_->combine(calls()).request;
    return request.body.substr(2, request.body.find("\r\n") - 2);
  };
  const std::string first = boundary_now();
  calls_[1].request.body = "{\"name\":\"--" + first + "--\"}";
  EXPECT_NE(boundary_now(), first);
}

TEST_F(PackingTest, ARecordThatNobodyGoesWithIsThePlainRequest) {
  for (const char* mode : {"batch", "bulk", "auto"}) {
    open(mode);
    encode({R"({"name":"A"})"});
    EXPECT_EQ(dynamics_->combine(calls()).request.url, "https://org/api/data/v9.2/accounts");
    EXPECT_EQ(decode(answer(204))[0].kind, Kind::delivered);
  }
}

TEST_F(PackingTest, OffPacksNothing) {
  open("off");
  encode({"{}"});
  EXPECT_FALSE(dynamics_->together(calls_[0]));
  EXPECT_EQ(dynamics_->most_together(), 1u);
}

TEST_F(PackingTest, AnswersAreMatchedByContentIdAndElseByOrder) {
  open("batch");
  encode({"{}", "{}", "{}"});
  for (const bool with_ids : {true, false}) {
    const auto verdicts = decode(multipart({{with_ids ? "1" : "", kDone},
                                            {with_ids ? "2" : "", failed(400, "0x80044331")},
                                            {with_ids ? "3" : "", kDone}}));
    EXPECT_EQ(verdicts[0].kind, Kind::delivered);
    EXPECT_EQ(verdicts[1].kind, Kind::rejected);
    EXPECT_EQ(verdicts[1].code, "0x80044331");
    EXPECT_EQ(verdicts[1].http_status, 400);
    EXPECT_FALSE(verdicts[1].alone) << "its own answer is the last word";
    EXPECT_EQ(verdicts[2].record_id, id(2));
  }
  const auto shuffled = decode(multipart({{"3", failed(400, "0x80044331")}, {"1", kDone}}));
  EXPECT_EQ(shuffled[0].kind, Kind::delivered);
  EXPECT_EQ(shuffled[2].kind, Kind::rejected);
  EXPECT_TRUE(shuffled[1].unheard);
}

TEST_F(PackingTest, WhatTheAnswerDoesNotTellOfIsSentAgain) {
  open("batch");
  encode({"{}", "{}", "{}"});
  const auto verdicts = decode(multipart({{"", kDone}}));
  EXPECT_EQ(verdicts[0].kind, Kind::delivered);
  for (const int i : {1, 2}) {
    EXPECT_EQ(verdicts[static_cast<std::size_t>(i)].kind, Kind::again);
    EXPECT_TRUE(verdicts[static_cast<std::size_t>(i)].unheard);
  }
  for (Verdict& verdict : decode(multipart({}))) EXPECT_TRUE(verdict.unheard);
  for (Verdict& verdict : decode(answer(200, "{}"))) EXPECT_TRUE(verdict.unheard);
  const std::string another =
      "HTTP/1.1 204 No Content\r\nOData-EntityId: https://org/accounts(" + id(2) + ")\r\n\r\n";
  EXPECT_TRUE(decode(multipart({{"", another}, {"", kDone}, {"", kDone}}))[0].unheard);
}

TEST_F(PackingTest, APartThatIsBusyWaitsAndOneThatExistsIsLookedAt) {
  open("batch");
  encode({"{}", "{}"});
  const auto verdicts = decode(multipart(
      {{"1", failed(429, "0x80072322", "Retry-After: 7\r\n")}, {"2", failed(412, "0x80040237")}}));
  EXPECT_EQ(verdicts[0].kind, Kind::again);
  EXPECT_EQ(verdicts[0].wait_s, 7);
  EXPECT_EQ(verdicts[1].kind, Kind::verify);
  ASSERT_TRUE(verdicts[1].question);
  EXPECT_NE(verdicts[1].question->url.find(id(1)), std::string::npos);
}

TEST_F(PackingTest, AnEnvelopeThatIsRefusedIsHalvedAndItsCapRemembered) {
  open("batch");
  encode(std::vector<std::string>(100, "{}"));
  EXPECT_EQ(dynamics_->together(calls_[0])->records, 100u);
  const auto verdicts = decode(
      answer(400, R"({"Message":"An error.","ExceptionMessage":"zu viele: '40' am Stueck"})"));
  for (const Verdict& verdict : verdicts) {
    EXPECT_EQ(verdict.kind, Kind::rejected);
    EXPECT_TRUE(verdict.alone);
  }
  EXPECT_EQ(dynamics_->together(calls_[0])->records, 40u);
}

TEST_F(PackingTest, AWholeBatchMaySignInWaitOrBeLost) {
  open("batch");
  encode({"{}", "{}"});
  Response busy = refusal(429, "0x80072322");
  busy.headers.add("Retry-After", "9");
  for (const Verdict& verdict : decode(busy)) EXPECT_EQ(verdict.wait_s, 9);
  for (const Verdict& verdict : decode(answer(401))) EXPECT_EQ(verdict.kind, Kind::sign_in);
  Response lost;
  lost.fault = Fault::lost;
  for (const Verdict& verdict : decode(lost)) EXPECT_EQ(verdict.kind, Kind::again);
}

// The call that w2's trees with upserts become: a batch with one change set.
Call change_set_call(const Call& like) {
  Call call = like;
  std::string set;
  for (const char* content_id : {"1", "2"}) {
    write_part(set, "cs", {{"Content-Type", "application/http"}, {"Content-ID", content_id}},
               "PATCH /api/data/v9.2/accounts(" + like.record_id +
                   ") HTTP/1.1\r\nIf-Match: *\r\n\r\n{}\r\n");
  }
  write_end(set, "cs");
  call.request.body.clear();
  write_part(call.request.body, "b", {{"Content-Type", "multipart/mixed; boundary=cs"}}, set);
  write_end(call.request.body, "b");
  call.request.url = "https://org/api/data/v9.2/$batch";
  for (Header& header : call.request.headers) {
    if (header.name == "Content-Type") header.value = "multipart/mixed; boundary=b";
  }
  return call;
}

TEST_F(PackingTest, AChangeSetIsNestedAndItsPartsHaveContentIdsOfTheirOwn) {
  open("batch");
  encode({"{}", "{}", "{}"});
  calls_[1] = change_set_call(calls_[1]);
  const Request request = dynamics_->combine(calls()).request;
  const std::string boundary = request.body.substr(2, request.body.find("\r\n") - 2);
  const auto parts = read_parts(request.body, boundary);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].header("Content-ID"), "1");
  EXPECT_EQ(parts[2].header("Content-ID"), "4");
  const auto set = read_parts(parts[1].content, boundary_of(parts[1].header("Content-Type")));
  ASSERT_EQ(set.size(), 2u);
  EXPECT_EQ(set[0].header("Content-ID"), "2");
  EXPECT_EQ(set[1].header("Content-ID"), "3");
  EXPECT_TRUE(set[1].content.ends_with("If-Match: *\r\n\r\n{}")) << set[1].content;
}

TEST_F(PackingTest, ACallWithReferencesBetweenItsPartsGoesAlone) {
  open("batch");
  encode({"{}"});
  Call call = change_set_call(calls_[0]);
  const std::size_t at = call.request.body.find("{}");
  call.request.body.replace(at, 2, R"({"x@odata.bind":"$1"})");
  const Packing packing(Packing::Mode::batch, "https://org/api/data/v9.2/", {});
  packing.prepare(call);
  EXPECT_FALSE(packing.together(call));
}

TEST_F(PackingTest, ABindThatMayReferToAnotherPartGoesAlone) {
  for (const char* mode : {"batch", "auto"}) {
    open(mode);
    encode({R"({"primarycontactid@odata.bind":"$1"})", R"({"a@odata.bind":["\u00241/x"]})",
            R"j({"a@odata.bind":"/contacts(n=1)","name":"costs $5"})j",
            R"({"name":"for $1 more"})"});
    EXPECT_FALSE(dynamics_->together(calls_[0])) << mode;
    EXPECT_FALSE(dynamics_->together(calls_[1])) << mode;
    EXPECT_TRUE(dynamics_->together(calls_[2])) << mode << ": an amount, not a reference";
    EXPECT_TRUE(dynamics_->together(calls_[3])) << mode << ": no bind, no reference";
  }
}

TEST_F(PackingTest, ABulkMessageCarriesFlatRowsOfOneTable) {
  open("bulk");
  encode({R"({"name":"A"})", "{}", R"({"primarycontactid":{"lastname":"C"}})"});
  const auto flat = dynamics_->together(calls_[0]);
  EXPECT_EQ(flat->key, dynamics_->together(calls_[1])->key);
  EXPECT_NE(flat->key, dynamics_->together(calls_[2])->key) << "a tree goes by batch";
  calls_.pop_back();
  const Request request = dynamics_->combine(calls()).request;
  EXPECT_EQ(request.url,
            "https://org/api/data/v9.2/accounts/Microsoft.Dynamics.CRM.CreateMultiple");
  EXPECT_EQ(request.body, R"({"Targets":[{"@odata.type":"Microsoft.Dynamics.CRM.account",)"
                          R"("accountid":")" +
                              id(0) +
                              R"(","name":"A"},{"@odata.type":"Microsoft.Dynamics.CRM.account",)"
                              R"("accountid":")" +
                              id(1) + R"("}]})");
  for (const Verdict& verdict : decode(answer(200, R"({"Ids":[]})"))) {
    EXPECT_EQ(verdict.kind, Kind::delivered);
    EXPECT_EQ(verdict.effect, "created");
  }
}

TEST_F(PackingTest, ABulkRefusalIsTheLastWordOnNobody) {
  open("bulk");
  encode({"{}", "{}"});
  for (const char* code : {"0x80044331", "0x80040265", "0x80044171", "0x80040217"}) {
    for (const Verdict& verdict : decode(refusal(400, code))) {
      EXPECT_EQ(verdict.kind, Kind::rejected) << code;
      EXPECT_TRUE(verdict.alone) << code;
    }
  }
  for (const int status : {412, 500}) {
    const auto verdicts = decode(refusal(status, "0x80040237"));
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(verdicts[i].kind, Kind::verify);
      EXPECT_TRUE(verdicts[i].alone);
      EXPECT_NE(verdicts[i].question->url.find(id(static_cast<int>(i))), std::string::npos);
    }
  }
  for (const Verdict& verdict : decode(refusal(500, "0x80044150"))) {
    EXPECT_EQ(verdict.kind, Kind::again) << "a deadlock is nobody's fault";
    EXPECT_FALSE(verdict.alone);
  }
}

TEST_F(PackingTest, TheRowOfAnIdIsTheSameInWhateverLettersItIsWritten) {
  open("bulk");
  encode({R"({"accountid":"2ED6657D-E927-568B-95E1-2665A8AEA6A2"})",
          R"({"accountid":"2ed6657d-e927-568b-95e1-2665a8aea6a2"})"});
  EXPECT_EQ(dynamics_->together(calls_[0])->row, dynamics_->together(calls_[1])->row);
}

TEST_F(PackingTest, ATableWithoutTheMessageIsAskedOnce) {
  open("auto");
  encode({"{}", "{}"});
  const std::string before = dynamics_->together(calls_[0])->key;
  for (const Verdict& verdict : decode(refusal(400, "0x80040800"))) {
    EXPECT_EQ(verdict.kind, Kind::again);
    EXPECT_EQ(verdict.wait_s, 0);
  }
  EXPECT_NE(dynamics_->together(calls_[0])->key, before);
  EXPECT_EQ(dynamics_->combine(calls()).request.url, "https://org/api/data/v9.2/$batch");
}

TEST_F(PackingTest, WhatATableIsKnownNotToTakeIsNeverTried) {
  const std::string batch = "https://org/api/data/v9.2/$batch";
  for (const char* known : {R"({"account":["UpdateMultiple"]})", R"({"account":[]})"}) {
    open("auto", known);
    encode({"{}", "{}"});
    EXPECT_EQ(dynamics_->combine(calls()).request.url, batch);
    EXPECT_TRUE(dynamics_->lacks().empty()) << "nothing was learned";
  }
  for (const char* known : {R"({"account":["CreateMultiple"]})", R"({"contact":[]})"}) {
    open("auto", known);
    encode({"{}", "{}"});
    EXPECT_NE(dynamics_->combine(calls()).request.url, batch);
  }
}

TEST_F(PackingTest, OnlyWhatTheServiceSaysIsWorthRemembering) {
  open("auto");
  encode({"{}", "{}"});
  for (int i = 0; i < 8; ++i) decode(refusal(400, "0x12345678"));
  EXPECT_TRUE(dynamics_->lacks().empty());
  open("auto");
  encode({"{}", "{}"});
  decode(refusal(400, "0x80040800"));
  ASSERT_EQ(dynamics_->lacks().size(), 1U);
  EXPECT_EQ(dynamics_->lacks()[0].table, "account");
  EXPECT_EQ(dynamics_->lacks()[0].message, "CreateMultiple");
}

TEST_F(PackingTest, AnAnswerIsReadInTheFormThatWasSentWhateverWasLearnedMeanwhile) {
  open("auto");
  encode({"{}", "{}"});
  const Call first = dynamics_->combine(calls());
  decode(refusal(400, "0x80040800"));
  for (const Verdict& verdict : dynamics_->decode_each(first, calls(), answer(200, "{}"), 0)) {
    EXPECT_EQ(verdict.kind, Kind::delivered);
  }
}

TEST_F(PackingTest, AMessageThatNeverWorkedIsGivenUpEvenInUnknownWords) {
  open("auto");
  encode({"{}", "{}"});
  const std::string before = dynamics_->together(calls_[0])->key;
  for (int i = 0; i < 8; ++i) decode(refusal(400, "0x12345678"));
  EXPECT_NE(dynamics_->together(calls_[0])->key, before);
}

TEST_F(PackingTest, QuestionsOfOneTableAreOneGet) {
  open("auto");
  encode({"{}", "{}", "{}"});
  std::vector<Call> questions = calls_;
  for (Call& question : questions) {
    question.request = *dynamics_->question(question);
    question.asks = true;
  }
  calls_ = questions;
  const auto together = dynamics_->together(calls_[0]);
  ASSERT_TRUE(together);
  const Request request = dynamics_->combine(calls()).request;
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.url,
            "https://org/api/data/v9.2/accounts?$select=accountid&$filter="
            "Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=['" +
                id(0) + "','" + id(1) + "','" + id(2) + "'])");
  const auto verdicts = decode(answer(200, R"({"value":[{"accountid":")" + id(1) + R"("}]})"));
  EXPECT_EQ(verdicts[1].kind, Kind::delivered);
  EXPECT_EQ(verdicts[0].kind, Kind::rejected);
  EXPECT_EQ(verdicts[0].code, "") << "the refusal that asked stands";
}

TEST_F(PackingTest, SizesFollowLatencyAndWhatTheServiceSays) {
  open("auto");
  encode(std::vector<std::string>(100, "{}"));
  const auto size = [&] { return dynamics_->together(calls_[0])->records; };
  const auto took = [](double seconds) {
    Response response = answer(200, "{}");
    response.elapsed_s = seconds;
    return response;
  };
  EXPECT_EQ(size(), 100u);
  decode(took(2));
  EXPECT_EQ(size(), 100u);
  decode(took(0.1));
  EXPECT_EQ(size(), 200u);
  decode(took(0.1));
  EXPECT_EQ(size(), 200u) << "the answer to 100 does not double 200";
  decode(refusal(429, "0x80072321"));
  EXPECT_EQ(size(), 140u);
  EXPECT_TRUE(lesson_.over_time);
  decode(refusal(429, "0x80072322"));
  EXPECT_EQ(size(), 210u);
  decode(refusal(429, "0x80072326"));
  EXPECT_EQ(size(), 210u);
  decode(refusal(400, "0x80081111"));
  EXPECT_EQ(size(), 50u);
  EXPECT_EQ(dynamics_->most_together(), 100u);
  Response hint = took(2);
  hint.headers.add("x-ms-dop-hint", "7");
  decode(hint);
  EXPECT_EQ(lesson_.in_flight_hint, 7);
  decode(took(40));
  EXPECT_EQ(size(), 11u) << "aims at 4.5 s since too many requests were refused";
}

// Counts how often an answer is read.
class Reader final : public Protocol {
 public:
  explicit Reader(const Protocol& behind) : behind_(behind) {}

  Call encode(const Batch& batch, const Record& record) const override {
    return behind_.encode(batch, record);
  }
  Verdict decode(const Call& call, const Response& response, double now_s) const override {
    ++read;
    return behind_.decode(call, response, now_s);
  }
  Verdict decode_answer(const Call& call, const Response& response, double now_s) const override {
    ++read;
    return behind_.decode_answer(call, response, now_s);
  }

  mutable int read = 0;

 private:
  const Protocol& behind_;
};

TEST_F(PackingTest, ARefusalOfAWholeBatchIsReadOnceForAll) {
  open("batch");
  encode(std::vector<std::string>(100, "{}"));
  const Packing packing(Packing::Mode::batch, "https://org/api/data/v9.2/", {});
  const Reader reader(*dynamics_);
  const Call combined = dynamics_->combine(calls());
  Response busy = refusal(429, "0x80072322");
  busy.headers.add("Retry-After", "9");
  const auto verdicts = packing.decode_each(reader, combined, calls(), busy, 0);
  EXPECT_EQ(reader.read, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(verdicts[static_cast<std::size_t>(i)].wait_s, 9);
    EXPECT_EQ(verdicts[static_cast<std::size_t>(i)].record_id, id(i)) << "each has its own row";
  }
  for (const Verdict& verdict :
       packing.decode_each(reader, combined, calls(), refusal(400, "0x80044331"), 0)) {
    EXPECT_TRUE(verdict.alone);
    EXPECT_EQ(verdict.code, "0x80044331");
  }
  EXPECT_EQ(reader.read, 2);
}

// What an answer says may be any bytes: each call still gets a verdict.
TEST_F(PackingTest, AnyBytesGiveOneVerdictForEachCall) {
  open("batch");
  encode({"{}", "{}", "{}"});
  calls_[1] = change_set_call(calls_[1]);
  const Response whole = multipart({{"1", kDone}, {"", kDone}, {"4", failed(400, "0x80044331")}});
  for (std::size_t cut = 0; cut < whole.body.size(); ++cut) {
    Response torn = whole;
    torn.body.resize(cut);
    EXPECT_EQ(decode(torn).size(), 3u);
    torn.body = whole.body.substr(cut);
    EXPECT_EQ(decode(torn).size(), 3u);
    torn.body = whole.body;
    torn.body[cut] = '\n';
    EXPECT_EQ(decode(torn).size(), 3u);
  }
}

}  // namespace
}  // namespace fieldpost
