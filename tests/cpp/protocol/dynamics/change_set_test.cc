#include "protocol/dynamics/change_set.h"

#include <gtest/gtest.h>

#include <string>

namespace fieldpost::dynamics {
namespace {

TEST(ChangeSet, IsWrittenWithTheLineEndsThatTheServiceInsistsOn) {
  const Request request = change_set(
      {{"PATCH", "accounts(1)", {{"If-Match", "*"}}, "{\"a\":1}"}, {"DELETE", "tasks(2)", {}, ""}},
      "https://org.crm.dynamics.com/api/data/v9.2/", "id");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://org.crm.dynamics.com/api/data/v9.2/$batch");
  EXPECT_EQ(request.headers.at(0),
            (Header{"Content-Type", "multipart/mixed; boundary=\"batch_id\""}));
  EXPECT_EQ(request.body,
            "--batch_id\r\nContent-Type: multipart/mixed; boundary=\"changeset_id\"\r\n\r\n"
            "--changeset_id\r\nContent-Type: application/http\r\n"
            "Content-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
            "PATCH /api/data/v9.2/accounts(1) HTTP/1.1\r\nIf-Match: *\r\n"
            "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n"
            "--changeset_id\r\nContent-Type: application/http\r\n"
            "Content-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\n"
            "DELETE /api/data/v9.2/tasks(2) HTTP/1.1\r\n\r\n\r\n"
            "--changeset_id--\r\n--batch_id--\r\n");
}

Response multipart(int status, const std::string& body) {
  Response response;
  response.status = status;
  response.headers = {{"content-type", "multipart/mixed; boundary=\"b\""}, {"REQ_ID", "outer"}};
  response.body = body;
  return response;
}

TEST(ChangeSet, AnswersAreReadInAnyOrderAndCase) {
  const auto answers = change_set_answers(multipart(
      200,
      "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
      "--c\r\nContent-Type: application/http\r\ncontent-id: 2\r\n\r\nHTTP/1.1 204 No Content\r\n"
      "OData-Version: 4.0\r\n\r\n\r\n"
      "--c\r\nContent-ID: 1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 201 Created\r\n"
      "REQ_ID: inner\r\n\r\n{\"accountid\":\"x\"}\r\n--c--\r\n--b--\r\n"));
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].part, 2u);
  EXPECT_EQ(answers[0].response.status, 204);
  EXPECT_EQ(answers[0].response.header("REQ_ID"), "outer");
  EXPECT_EQ(answers[1].part, 1u);
  EXPECT_EQ(answers[1].response.status, 201);
  EXPECT_EQ(answers[1].response.body, "{\"accountid\":\"x\"}");
  EXPECT_EQ(answers[1].response.header("REQ_ID"), "inner");
}

TEST(ChangeSet, APartThatIsCutOffTellsNothing) {
  const std::string begin =
      "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
      "--c\r\nContent-ID: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\r\n";
  const std::string second = "--c\r\nContent-ID: 2\r\n\r\nHTTP/1.1 204 No Con";
  for (const std::string& body : {begin + second, begin + second + "\r\n--b--\r\n"}) {
    const auto answers = change_set_answers(multipart(200, body));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].part, body.ends_with("--b--\r\n") ? 1u : 0u);
  }
}

TEST(ChangeSet, AnAnswerThatIsNoMultipartSpeaksForTheWhole) {
  Response plain;
  plain.status = 429;
  plain.body = "{}";
  const auto answers = change_set_answers(plain);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].part, 0u);
  EXPECT_EQ(answers[0].response.status, 429);
  EXPECT_EQ(change_set_answers(multipart(200, "--b--")).at(0).part, 0u);
}

}  // namespace
}  // namespace fieldpost::dynamics
