#include "protocol/dynamics/faults.h"

#include <gtest/gtest.h>

#include <string>

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

Response answer(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::string error_body(const std::string& code, const std::string& message = "m") {
  return R"({"error":{"code":")" + code + R"(","message":")" + message + R"("}})";
}

Verdict meant_by(const Response& response, const std::string& client_id) {
  return meaning_of(read_service_error(response), response, client_id, 0);
}

TEST(ServiceError, IsReadFromEveryShape) {
  const struct {
    const char* body;
    const char* code;
    const char* message;
  } cases[] = {
      {R"({"error":{"code":"0x80040217","message":"gone"}})", "0x80040217", "gone"},
      {R"({"error":{"message":"gone","code":"0X80040217","innererror":{}}})", "0x80040217", "gone"},
      {R"({"error":{"code":"-2147015902","message":"a\r\nb"}})", "0x80072322", "a b"},
      {R"({"error":{"code":-2147015902,"message":""}})", "0x80072322",
       R"({"error":{"code":-2147015902,"message":""}})"},
      {R"({"error":{"code":"","message":"m"}})", "", "m"},
      {R"({"error":{"code":"0x0","message":"m"}})", "0x0", "m"},
      {R"({"error":{"code":"0","message":"m"}})", "0x0", "m"},
      {R"({"error":{"code":"TooMany","message":"m"}})", "TooMany", "m"},
      {R"({"error":{"code":null,"message":null}})", "",
       R"({"error":{"code":null,"message":null}})"},
      {R"({"Message":"M","ExceptionMessage":"E","StackTrace":"at"})", "", "E"},
      {R"({"Message":"M"})", "", "M"},
      {R"({"_error":{"code":"0x80041d1f","message":"no user"}})", "0x80041d1f", "no user"},
      {R"({"error":{"code":"0x80040265","message":"It\'s \x41 \\ \"so\""}})", "0x80040265",
       R"(It\'s \x41 \ "so")"},
      {R"({"error":"invalid_token","error_description":"old"})", "", "old"},
      {"<!DOCTYPE html><title>502</title>", "", ""},
      {"", "", ""},
      {"[1]", "", "[1]"},
      {"{\"error\":{\"code\":\"0x8", "", "{\"error\":{\"code\":\"0x8"},
      {"\xff\xfe", "", "\xff\xfe"},
  };
  for (const auto& c : cases) {
    const ServiceError error = read_service_error(answer(400, c.body));
    EXPECT_EQ(error.code, c.code) << c.body;
    EXPECT_EQ(error.message, c.message) << c.body;
  }
}

TEST(ServiceError, TellsARefusalOfTheRowFromOneThatAllRequestsWouldMeet) {
  using About = Verdict::About;
  const struct {
    int status;
    const char* body;
    About about;
    bool foreign;
  } cases[] = {
      {400, R"({"error":{"code":"0x80044331","message":"too long"}})", About::record, false},
      {400, R"({"error":{"code":"0x80099999","message":"new"}})", About::record, false},
      {403, R"({"error":{"code":"0x80048306","message":"no access"}})", About::record, false},
      {403, R"({"error":{"code":"0x80099999","message":"blocked"}})", About::destination, false},
      {413, "<html>too large</html>", About::record, false},
      {302, "", About::destination, true},
      {308, "", About::destination, true},
      {400, "<html>The plain HTTP request was sent to HTTPS port</html>", About::destination, true},
      {403, "<html>Blocked by the firewall</html>", About::destination, true},
      {404, "<html>Web App not found</html>", About::destination, true},
      {406, "", About::destination, true},
      {410, "", About::destination, true},
      {451, "", About::destination, true},
  };
  for (const auto& c : cases) {
    const Verdict verdict = meant_by(answer(c.status, c.body), "");
    EXPECT_EQ(verdict.about, c.about) << c.status << c.body;
    EXPECT_EQ(verdict.foreign, c.foreign) << c.status << c.body;
  }
}

TEST(ServiceError, NamesWhereARedirectLeads) {
  Response response = answer(302, "");
  response.headers.add("Location", "https://login.example.com/authorize?token=secret");
  const Verdict verdict = meant_by(response, "");
  EXPECT_EQ(verdict.message, "HTTP 302 to https://login.example.com/authorize");
}

TEST(ServiceError, IsDecidedByStatusAndCode) {
  const struct {
    int status;
    const char* code;
    Kind kind;
    const char* action;  // begins with
    int tries = 0;
  } cases[] = {
      {400, "0x80060888", Kind::pause_subscription, "mapping: "},
      {404, "0x80060888", Kind::pause_subscription, "mapping: "},
      {400, "0x80048d19", Kind::rejected, "mapping: "},
      {400, "0x80044331", Kind::rejected, "record: "},
      {400, "0x8004431a", Kind::rejected, "record: "},
      {400, "0x80040265", Kind::rejected, "record: a business rule"},
      {400, "0x80099999", Kind::rejected, "record: "},
      {404, "0x80040217", Kind::again, "record: ", 5},
      {412, "0x80040237", Kind::verify, "record: another row"},
      {412, "0x80060892", Kind::verify, "record: another row"},
      {412, "0x80099999", Kind::verify, "record: another row"},
      {412, "", Kind::verify, "record: another row"},
      {500, "0x80040333", Kind::verify, "record: another row"},
      {401, "0x80041d52", Kind::sign_in, ""},
      {401, "", Kind::sign_in, ""},
      {403, "0x80072560", Kind::pause, "administrator: create an application user"},
      {403, "0x80095ffc", Kind::pause, "administrator: this environment lists the applications"},
      {403, "0x80041d1f", Kind::rejected, "record: name a user or a team"},
      {403, "0x80048405", Kind::rejected, "administrator: the service forbids it"},
      {403, "0x80040225", Kind::pause, "administrator: enable"},
      {403, "0x80042f09", Kind::pause, "administrator: give the application user a security role"},
      {403, "0x8004d24b", Kind::pause, "administrator: "},
      {403, "0x80072561", Kind::pause, "administrator: "},
      {403, "0x80048306", Kind::rejected, "administrator: "},
      {403, "", Kind::rejected, "operator: something other than Dynamics 365"},
      {400, "0x80072325", Kind::pause, "administrator: free"},
      {429, "0x80072322", Kind::again, ""},
      {429, "", Kind::again, ""},
      {400, "0x8004418d", Kind::again, ""},
      {500, "0x80044150", Kind::again, ""},
      {500, "0x80040216", Kind::again, "record: ", 5},
      {400, "0x80040224", Kind::again, "administrator: a plug-in", 2},
      {500, "0x80099999", Kind::again, "record: ", 8},
      {500, "", Kind::again, ""},
      {501, "", Kind::rejected, "operator: something other than Dynamics 365"},
      {502, "0x80099999", Kind::again, ""},
      {503, "", Kind::again, ""},
      {504, "", Kind::again, ""},
      {599, "", Kind::again, ""},
      {413, "", Kind::rejected, "mapping: "},
      {302, "", Kind::rejected, "operator: put the environment's own address"},
  };
  for (const auto& c : cases) {
    const Verdict verdict = meant_by(answer(c.status, error_body(c.code)), "");
    EXPECT_EQ(verdict.kind, c.kind) << c.status << " " << c.code;
    EXPECT_EQ(verdict.action_needed.find(c.action), 0u) << c.code << verdict.action_needed;
    EXPECT_EQ(verdict.action_needed.empty(), std::string(c.action).empty()) << c.code;
    EXPECT_EQ(verdict.give_up_after, c.tries) << c.code;
    EXPECT_EQ(verdict.code, *c.code ? c.code : "http_" + std::to_string(c.status));
  }
}

TEST(ServiceError, NamesThePrivilegeAndTheClient) {
  const std::string missing =
      "Principal user (Id=1, type=8) is missing prvCreateAccount privilege (Id=2) on OTC=1";
  EXPECT_TRUE(meant_by(answer(403, error_body("0x80040220", missing)), "")
                  .action_needed.ends_with("missing privilege prvCreateAccount"));
  EXPECT_EQ(meant_by(answer(403, error_body("0x80040220", missing)), "").kind,
            Kind::pause_subscription);
  EXPECT_TRUE(meant_by(answer(403, error_body("0x80072560")), "c-1")
                  .action_needed.ends_with("(client id c-1)"));
}

TEST(ServiceError, TellsHowLongToWait) {
  Response response = answer(429, error_body("0x80072322"));
  response.headers = {{"Retry-After", "30"}};
  EXPECT_EQ(meant_by(response, "").wait_s, 30.0);
}

}  // namespace
}  // namespace fieldpost
