#include "fieldpost/message.h"

#include <gtest/gtest.h>

#include <optional>

namespace fieldpost {
namespace {

TEST(Response, FindsTheFirstHeaderWhateverItsCase) {
  Response response;
  response.headers = {{"retry-after", "1"}, {"Retry-After", "2"}};
  EXPECT_EQ(response.header("RETRY-AFTER"), "1");
  EXPECT_EQ(response.header("Location"), "");
}

TEST(Response, ReadsRetryAfterAsSecondsOrAsADate) {
  constexpr double kNow = 784111777;  // Sun, 06 Nov 1994 08:49:37 GMT
  const struct {
    const char* value;
    std::optional<double> wait_s;
  } cases[] = {
      {"7", 7.0},
      {"0.25", 0.25},
      {"Sun, 06 Nov 1994 08:49:47 GMT", 10.0},
      {"Sun, 06 Nov 1994 08:49:27 GMT", std::nullopt},
      {"0", std::nullopt},
      {"-1", std::nullopt},
      {"nan", std::nullopt},
      {"soon", std::nullopt},
      {"7 s", std::nullopt},
      {"Sun, 06 Xyz 1994 08:49:47 GMT", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) {
    Response response;
    response.headers = {{"Retry-After", c.value}};
    EXPECT_EQ(response.retry_after_s(kNow), c.wait_s) << c.value;
  }
  EXPECT_EQ(Response().retry_after_s(kNow), std::nullopt);
}

TEST(Response, HoldsADateOfRetryAfterAgainstTheAnswersOwn) {
  constexpr double kNow = 784111777;
  for (const char* value : {"Sun, 06 Nov 1994 07:00:03 GMT", "Sunday, 06-Nov-94 07:00:03 GMT",
                            "Sun Nov  6 07:00:03 1994"}) {
    Response response;
    response.headers = {{"Date", "Sun, 06 Nov 1994 07:00:00 GMT"}, {"Retry-After", value}};
    EXPECT_EQ(response.retry_after_s(kNow), 3.0) << "the service's clock is behind ours: " << value;
    response.headers = {{"Date", "now"}, {"Retry-After", value}};
    EXPECT_EQ(response.retry_after_s(kNow), std::nullopt) << "by our clock it is over: " << value;
  }
}

TEST(Response, ExcerptIsOneLineAndNoWebPage) {
  const struct {
    const char* body;
    const char* excerpt;
  } cases[] = {
      {"", ""},
      {" \r\n two\n\n  lines\t\x01 ", "two lines"},
      {"<html>no</html>", ""},
      {"\xef\xbb\xbf<!DOCTYPE html>", ""},
      {"äöü!", "äö"},  // whole characters only
      {"broken \xc3", "broke"},
  };
  for (const auto& c : cases) {
    Response response;
    response.body = c.body;
    EXPECT_EQ(response.excerpt(5), std::string(c.excerpt).substr(0, 5)) << c.body;
  }
}

TEST(Request, HostIsWhatMayBeShown) {
  const struct {
    const char* url;
    const char* host;
  } cases[] = {
      {"https://org.crm.dynamics.com/api?x=https://b", "org.crm.dynamics.com"},
      {"http://user:secret@host:8080", "host"},
      {"http://[::1]:80/a", "::1"},
      {"https://a@b@c/", "c"},
      {"https://host#@evil", "host"},
      {"no address", ""},
      {"http://", ""},
  };
  for (const auto& c : cases) {
    Request request;
    request.url = c.url;
    EXPECT_EQ(request.host(), c.host) << c.url;
  }
}

}  // namespace
}  // namespace fieldpost
