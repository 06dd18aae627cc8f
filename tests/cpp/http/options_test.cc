#include "http/options.h"

#include <gtest/gtest.h>

#include "fieldpost/error.h"
#include "fieldpost/transport.h"

namespace fieldpost {
namespace {

TEST(Options, KeepDefaultsWhereNothingIsGiven) {
  EXPECT_EQ(make_retry_policy(Json()).max_elapsed_s, 14400);
  EXPECT_EQ(make_limits(Json::object()).max_in_flight, 16);
  EXPECT_EQ(make_transport_options(Json::parse(R"({"ca_file": null})")).ca_file, "");
}

TEST(Options, AreRead) {
  const RetryPolicy retry = make_retry_policy(
      Json::parse(R"({"max_elapsed_s": 0, "max_attempts": 3, "wait_initial_s": 0.5,
                      "wait_max_s": 9, "statuses": [503]})"));
  EXPECT_EQ(retry.max_elapsed_s, 0);
  EXPECT_EQ(retry.max_attempts, 3);
  EXPECT_EQ(retry.statuses, std::set<int>{503});
  EXPECT_EQ(make_limits(Json::parse(R"({"max_in_flight": 1})")).max_in_flight, 1);
  const TransportOptions transport = make_transport_options(
      Json::parse(R"({"ca_file": "/x.pem", "timeout_s": 2, "max_response_bytes": 10,
                      "proxy": "none", "proxy_username": "u", "proxy_password": "p"})"));
  EXPECT_EQ(transport.proxy + transport.proxy_username + transport.proxy_password, "noneup");
  EXPECT_EQ(transport.ca_file, "/x.pem");
  EXPECT_EQ(transport.max_response_bytes, 10u);
}

TEST(Options, TellEveryMistake) {
  try {
    make_retry_policy(Json::parse(R"({"max_elapsed": 1, "max_attempts": -1, "wait_max_s": "1",
                                      "statuses": [200]})"));
    FAIL();
  } catch (const DocumentError& error) {
    EXPECT_STREQ(error.what(),
                 "E611 max_attempts must be a whole number of at least 0 at $.retry.max_attempts\n"
                 "E611 wait_max_s must be a number of at least 0.0 at $.retry.wait_max_s\n"
                 "E611 statuses must be a list of HTTP statuses from 300 to 599 at "
                 "$.retry.statuses\n"
                 "E610 unknown option \"max_elapsed\" at $.retry.max_elapsed; did you mean "
                 "\"max_elapsed_s\"?");
  }
  EXPECT_THROW(make_limits(Json::parse(R"({"adaptive": 1})")), DocumentError);
  EXPECT_THROW(make_limits(Json::parse(R"({"window_s": 0})")), DocumentError);
  EXPECT_THROW(make_limits(Json::parse("[]")), DocumentError);
  EXPECT_THROW(make_limits(Json::parse(R"({"max_in_flight": 0})")), DocumentError);
  EXPECT_THROW(make_limits(Json::parse(R"({"max_in_flight": 1.5})")), DocumentError);
}

}  // namespace
}  // namespace fieldpost
