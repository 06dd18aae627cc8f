#include "protocol/webhook/webhook.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

namespace fieldpost {
namespace {

using Kind = Verdict::Kind;

Json document(const std::string& more = "") {
  return Json::parse(R"({"type": "webhook", "subscriptions": [
    {"id": "s", "method": "POST", "url": "https://host/in", "headers": {"X-A": "1"}}]
  )" + more + "}");
}

// The request of one record.
Call encode(const Webhook& webhook, std::string_view body, std::string_view headers = "",
            std::string_view url = "") {
  Batch batch;
  Record record;
  record.body = batch.keep(body);
  record.headers = batch.keep(headers);
  record.url = batch.keep(url);
  Call call = webhook.encode(batch, record);
  call.request.body = call.request.body_text();  // the batch ends here
  call.request.kept_body = {};
  return call;
}

std::string code_of_fault(std::string_view headers, std::string_view url) {
  try {
    encode(Webhook(document()), "{}", headers, url);
  } catch (const CallFault& fault) {
    EXPECT_EQ(fault.message.find("secret"), std::string::npos);
    return fault.code;
  }
  return "";
}

std::string text_of(const Request& request) {
  std::string text = request.method + " " + request.url;
  for (const Header& header : request.headers) text += " | " + header.name + ": " + header.value;
  return text + (request.has_body ? " | " + std::string(request.body_text()) : "");
}

TEST(WebhookEncode, IsTheRequestOfTheSubscriptionAndTheRecord) {
  const Webhook webhook(document());
  const struct {
    const char* body;
    const char* headers;
    const char* url;
    const char* request;
  } cases[] = {
      {R"({"n":12345678901234567890})", "", "",
       R"(POST https://host/in | X-A: 1 | Content-Type: application/json | {"n":12345678901234567890})"},
      {"", "", "", "POST https://host/in | X-A: 1"},
      {"[]", R"({"x-a": "2", "N": 1.50, "T": true, "Z": null})", "https://other/",
       "POST https://other/ | x-a: 2 | N: 1.50 | T: true | Content-Type: application/json | []"},
      {"1", R"({"X-A": null, "content-type": "text/plain", "E": "e"})", "http://localhost:8/",
       "POST http://localhost:8/ | content-type: text/plain | E: e | 1"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(text_of(encode(webhook, c.body, c.headers, c.url).request), c.request);
  }
}

TEST(WebhookEncode, RefusesWhatHttpCannotCarry) {
  const struct {
    const char* headers;
    const char* url;
    const char* code;
  } cases[] = {
      {R"({"A": "b"})", "", ""},
      {R"({"A": "secret\r\nB: c"})", "", "E512"},
      {R"({"secret a": "b"})", "", "E512"},
      {R"({"": "b"})", "", "E512"},
      {R"({"A": "s\u00e9cret"})", "", "E512"},
      {R"({"Host": "secret"})", "", "E512"},
      {R"({"content-Length": 5})", "", "E512"},
      {R"({"A": ["secret"]})", "", "E512"},
      {R"(["secret"])", "", "E512"},
      {R"({"A": )", "", "E512"},
      {"", "ftp://secret/", "E511"},
      {"", "/secret", "E511"},
      {"", "https://", "E511"},
      {"", "https://host/se cret", "E511"},
      {"", "https://host/secré", "E511"},
      {"", "http://host/secret", "E511"},  // only this machine without TLS
      {"", "http://127.0.0.1/", ""},
      {"", "http://127.0.0.1@host/", "E511"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(code_of_fault(c.headers, c.url), c.code) << c.headers << c.url;
  }
  const Webhook insisting(document(R"(, "allow_http": true)"));
  EXPECT_EQ(encode(insisting, "1", "", "http://host/").request.url, "http://host/");
  EXPECT_EQ(code_of_fault("", "https://host/" + std::string(1'000'000, 'a')), "E511");
}

TEST(WebhookEncode, IsReplaySafeOnlyWithAKeyThatIsHonoured) {
  constexpr const char* kKey = R"({"Idempotency-Key": "k"})";
  const Webhook honours(document(R"(, "idempotency_key": "Idempotency-Key")"));
  EXPECT_TRUE(encode(honours, "1", kKey).replay_safe);
  EXPECT_TRUE(encode(honours, "1").replay_safe);
  EXPECT_FALSE(encode(Webhook(document()), "1", kKey).replay_safe);
}

Response answer(int status, const std::string& body = "") {
  Response response;
  response.status = status;
  response.body = body;
  return response;
}

TEST(WebhookDecode, DecidesByTheStatus) {
  const Webhook hold(document(R"(, "on_unconfirmed": "hold")"));
  const Webhook resend(document(R"(, "on_unconfirmed": "resend")"));
  const struct {
    int status;
    Kind hold;
    Kind resend;
  } cases[] = {
      {200, Kind::delivered, Kind::delivered}, {204, Kind::delivered, Kind::delivered},
      {301, Kind::rejected, Kind::rejected},   {400, Kind::rejected, Kind::rejected},
      {401, Kind::sign_in, Kind::sign_in},     {403, Kind::rejected, Kind::rejected},
      {404, Kind::rejected, Kind::rejected},   {408, Kind::again, Kind::again},
      {425, Kind::again, Kind::again},         {429, Kind::again, Kind::again},
      {500, Kind::again, Kind::again},         {501, Kind::rejected, Kind::rejected},
      {502, Kind::again, Kind::again},         {503, Kind::again, Kind::again},
      {504, Kind::again, Kind::again},
  };
  for (const auto& c : cases) {
    const Call call = encode(hold, "1");
    const Verdict verdict = hold.decode(call, answer(c.status, "why"), 0);
    EXPECT_EQ(verdict.kind, c.hold) << c.status;
    EXPECT_EQ(resend.decode(call, answer(c.status), 0).kind, c.resend) << c.status;
    if (c.hold == Kind::delivered) continue;
    EXPECT_EQ(verdict.code, "http_" + std::to_string(c.status));
    EXPECT_EQ(verdict.message, "why");
    EXPECT_EQ(verdict.action_needed.empty(), c.hold == Kind::again || c.hold == Kind::sign_in);
  }
}

TEST(WebhookDecode, TheDocumentMayNameOtherStatuses) {
  const Webhook webhook(document(R"(, "retry_statuses": [423])"));
  const Call call = encode(webhook, "1");
  EXPECT_EQ(webhook.decode(call, answer(423), 0).kind, Kind::again);
  EXPECT_EQ(webhook.decode(call, answer(503), 0).kind, Kind::rejected);
}

TEST(WebhookDecode, AGatewaysAnswerThatIsNotTriedAgainMayHideADelivery) {
  const Webhook hold(document(R"(, "retry_statuses": [503])"));
  const Webhook resend(document(R"(, "retry_statuses": [503], "on_unconfirmed": "resend")"));
  const Call call = encode(hold, "1");
  for (const int status : {502, 504}) {
    const Verdict verdict = hold.decode(call, answer(status), 0);
    EXPECT_EQ(verdict.kind, Kind::unconfirmed);
    EXPECT_FALSE(verdict.action_needed.empty());
    EXPECT_EQ(resend.decode(call, answer(status), 0).kind, Kind::rejected);
  }
}

TEST(WebhookDecode, OnlyARefusalOfTheWholeRequestMayBeOneOfAll) {
  const Webhook webhook(document());
  const Call call = encode(webhook, "1");
  EXPECT_EQ(webhook.decode(call, answer(403), 0).about, Verdict::About::destination);
  EXPECT_EQ(webhook.decode(call, answer(400), 0).about, Verdict::About::record);
  EXPECT_EQ(webhook.decode(call, answer(404), 0).about, Verdict::About::address);
  EXPECT_EQ(webhook.decode(call, answer(405), 0).about, Verdict::About::host);
}

TEST(WebhookDecode, DecidesByTheFault) {
  const Webhook hold(document());
  const Webhook resend(document(R"(, "on_unconfirmed": "resend")"));
  Call call = encode(hold, "1");
  const struct {
    Fault fault;
    Kind hold;
    Kind resend;
    const char* code;
  } cases[] = {
      {Fault::unreachable, Kind::again, Kind::again, "E501"},
      {Fault::untrusted, Kind::pause, Kind::pause, "E502"},
      {Fault::lost, Kind::unconfirmed, Kind::again, "E503"},
      {Fault::unsent, Kind::again, Kind::again, "E504"},
      {Fault::unprocessed, Kind::again, Kind::again, "E506"},
  };
  for (const auto& c : cases) {
    Response response;
    response.fault = c.fault;
    response.fault_text = "because";
    EXPECT_EQ(hold.decode(call, response, 0).kind, c.hold);
    const Verdict verdict = resend.decode(call, response, 0);
    EXPECT_EQ(verdict.kind, c.resend);
    EXPECT_EQ(verdict.code, c.code);
    EXPECT_NE(verdict.message.find("host: because"), std::string::npos) << verdict.message;
  }
  call.replay_safe = true;
  Response lost;
  lost.fault = Fault::lost;
  EXPECT_EQ(hold.decode(call, lost, 0).kind, Kind::again);
}

TEST(WebhookDecode, TellsHowLongToWaitAndWhoSpoke) {
  const Webhook webhook(document());
  Response response = answer(429, "<html>slow down</html>");
  response.headers = {{"Retry-After", "2.5"}, {"X-Request-Id", "r1"}};
  const Verdict verdict = webhook.decode(encode(webhook, "1"), response, 0);
  EXPECT_EQ(verdict.wait_s, 2.5);
  EXPECT_EQ(verdict.request_id, "r1");
  EXPECT_EQ(verdict.message, "HTTP 429");
}

TEST(WebhookDecode, AsksNoQuestion) {
  const Webhook webhook(document());
  EXPECT_THROW(webhook.decode_answer(Call(), answer(200), 0), std::logic_error);
}

}  // namespace
}  // namespace fieldpost
