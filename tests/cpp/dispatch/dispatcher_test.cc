#include "fieldpost/dispatcher.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "dispatch/scripted_transport.h"
#include "dispatch/traffic.h"
#include "fieldpost/error.h"

namespace fieldpost {
namespace {

Response answer(int status, std::string body = "") {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response busy_for(const char* seconds) {
  Response response = answer(429);
  response.headers.add("Retry-After", seconds);
  return response;
}

// A row that was asked for.
Response found() {
  Response response = answer(200);
  response.headers.add("OData-Version", "4.0");
  return response;
}

Response fault(Fault kind) {
  Response response;
  response.fault = kind;
  response.fault_text = "because";
  return response;
}

constexpr const char* kWebhook = R"({"type": "webhook", "subscriptions": [
    {"id": "s", "method": "POST", "url": "https://user:pass@host/in"}]})";
constexpr const char* kDynamics = R"({"type": "dynamics365", "destination": "d",
    "url": "https://org", "subscriptions": [{"id": "s", "action": "create", "table": "account"}],
    "tables": {"account": {"set": "accounts", "key": "accountid"}}})";

// A dispatcher over a scripted destination.
class DispatcherTest : public testing::Test {
 protected:
  // `destination` answers the n-th request.
  template <typename Destination>
  void open(Destination destination, const char* protocol = kWebhook) {
    wire_->destination = destination;
    dispatcher_ = std::make_unique<Dispatcher>(
        make_protocol(Json::parse(protocol)), std::make_unique<ScriptedTransport>(wire_, clock_),
        retry_, limits_, clock_, std::make_shared<Random>(1), breaker_);
  }

  // Claims are counted from 1 in the order of the bodies.
  void offer(const std::vector<std::string>& bodies, double elapsed_s = 0, int attempts = 0,
             const std::vector<std::string>& order_keys = {},
             const std::vector<std::uint32_t>& subscriptions = {}) {
    auto batch = std::make_shared<Batch>();
    std::vector<Offer> offers;
    for (const std::string& body : bodies) {
      Record record;
      record.event_id = batch->keep("e" + std::to_string(claims_));
      record.body = batch->keep(body);
      if (!order_keys.empty()) record.order_key = batch->keep(order_keys[batch->records.size()]);
      if (!subscriptions.empty()) record.subscription = subscriptions[batch->records.size()];
      batch->records.push_back(record);
      const auto index = static_cast<std::uint32_t>(batch->records.size() - 1);
      offers.push_back({index, ++claims_, elapsed_s, attempts, in_doubt_});
    }
    dispatcher_->offer(std::move(batch), offers);
  }

  // Each record has an address of its own.
  void offer_at_own_addresses(int count) {
    auto batch = std::make_shared<Batch>();
    std::vector<Offer> offers;
    for (int i = 0; i < count; ++i) {
      Record record;
      record.event_id = batch->keep("e" + std::to_string(claims_));
      record.url = batch->keep("https://host/orders/" + std::to_string(claims_));
      record.body = batch->keep("{}");
      batch->records.push_back(record);
      offers.push_back({static_cast<std::uint32_t>(i), ++claims_});
    }
    dispatcher_->offer(std::move(batch), offers);
  }

  void offer_many(int count) { offer(std::vector<std::string>(count, "{}")); }

  // Settles until nothing is left or `until_s` is reached; the outcomes by claim.
  std::map<std::int64_t, Outcome> settle(double until_s = 1e6) {
    std::map<std::int64_t, Outcome> outcomes;
    while (dispatcher_->outstanding() > 0 && !dispatcher_->token_wanted() &&
           clock_->monotonic_s() < until_s) {
      for (Outcome& outcome : dispatcher_->settle(until_s - clock_->monotonic_s())) {
        const auto claim = outcome.claim;
        EXPECT_TRUE(outcomes.emplace(claim, std::move(outcome)).second) << "told twice";
      }
    }
    return outcomes;
  }

  Outcome settle_one(const std::string& body = "{}", double elapsed_s = 0, int attempts = 0) {
    offer({body}, elapsed_s, attempts);
    const auto outcomes = settle();
    return outcomes.size() == 1 ? outcomes.begin()->second : Outcome();
  }

  // A new token each time one is wanted, a few times.
  std::map<std::int64_t, Outcome> sign_in_until_told() {
    std::map<std::int64_t, Outcome> outcomes;
    for (int i = 0; i < 9 && outcomes.empty(); ++i) {
      dispatcher_->authorize("Bearer " + std::to_string(i) + "-token");
      outcomes = settle();
    }
    return outcomes;
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  RetryPolicy retry_;
  Limits limits_;
  BreakerPolicy breaker_ = {.untrusted = 0};  // all at once, for tests that count what is out
  std::unique_ptr<Dispatcher> dispatcher_;
  std::int64_t claims_ = 0;
  bool in_doubt_ = false;
};

constexpr const char* kOwnAddresses = R"({"type": "webhook", "hosts": ["host"],
    "subscriptions": [{"id": "s", "method": "POST"}]})";

TEST_F(DispatcherTest, TellsOneOutcomeForEachRecord) {
  open([](int, const Request& request) { return answer(request.body_text() == "2" ? 400 : 200); });
  offer({"1", "2", "3"});
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes.at(1).outcome, "delivered");
  EXPECT_EQ(outcomes.at(1).effect, "accepted");
  EXPECT_EQ(outcomes.at(1).attempts, 1);
  EXPECT_EQ(outcomes.at(1).http_status, 200);
  EXPECT_NEAR(outcomes.at(1).latency_ms, 100, 1e-6);
  EXPECT_EQ(outcomes.at(2).outcome, "rejected");
  EXPECT_EQ(outcomes.at(2).code, "http_400");
  EXPECT_FALSE(outcomes.at(2).action_needed.empty());
  EXPECT_EQ(dispatcher_->outstanding(), 0u);
}

TEST_F(DispatcherTest, NeverHasMoreOnTheWireThanAllowed) {
  limits_.max_in_flight = 3;
  open([](int, const Request&) { return answer(204); });
  EXPECT_EQ(dispatcher_->room(), 6u);
  offer_many(20);
  EXPECT_EQ(dispatcher_->room(), 0u);
  EXPECT_EQ(settle().size(), 20u);
  EXPECT_EQ(wire_->most_in_flight, 3u);
  EXPECT_EQ(dispatcher_->room(), 6u);
  EXPECT_EQ(dispatcher_->in_flight(), 0u);
}

TEST_F(DispatcherTest, SettleReturnsInTimeAndAtOnceWhereNothingWaits) {
  open([](int, const Request&) { return answer(204); });
  EXPECT_TRUE(dispatcher_->settle(100).empty());
  EXPECT_EQ(clock_->monotonic_s(), 0);
  offer_many(1);
  EXPECT_TRUE(dispatcher_->settle(0).empty());
  EXPECT_TRUE(dispatcher_->settle(0.05).empty());
  EXPECT_NEAR(clock_->monotonic_s(), 0.05, 1e-9);
  EXPECT_EQ(dispatcher_->in_flight(), 1u);
  EXPECT_EQ(dispatcher_->settle(100).size(), 1u);
  EXPECT_NEAR(clock_->monotonic_s(), 0.1, 1e-9);
}

TEST_F(DispatcherTest, TriesAgainUntilItTakesEffect) {
  open([](int n, const Request&) { return answer(n < 3 ? 503 : 204); });
  const Outcome outcome = settle_one("{}", 10, 2);
  EXPECT_EQ(outcome.outcome, "delivered");
  EXPECT_EQ(outcome.attempts, 6);
  EXPECT_EQ(outcome.code, "");
  EXPECT_EQ(outcome.action_needed, "");
}

TEST_F(DispatcherTest, AnOldRecordGetsOneMoreTryAndIsExpired) {
  retry_.max_elapsed_s = 50;
  open([](int, const Request&) { return answer(503, "busy"); });
  const Outcome outcome = settle_one("{}", 60, 9);
  EXPECT_EQ(outcome.outcome, "expired");
  EXPECT_EQ(outcome.attempts, 10);
  EXPECT_EQ(outcome.code, "http_503");
  EXPECT_EQ(outcome.message, "busy");
}

TEST_F(DispatcherTest, RetriesEndWithMaxElapsed) {
  retry_.max_elapsed_s = 50;
  open([](int, const Request&) { return answer(503); });
  EXPECT_EQ(settle_one("{}", 20).outcome, "expired");
  EXPECT_GE(clock_->monotonic_s(), 30);
  EXPECT_LE(clock_->monotonic_s(), 30.3);
}

TEST_F(DispatcherTest, RetryAfterHoldsTheWholeDestination) {
  limits_.max_in_flight = 1;
  open([](int n, const Request&) { return n == 0 ? busy_for("7") : answer(204); });
  offer_many(3);
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.size(), 3u);
  ASSERT_EQ(wire_->times_s.size(), 4u);
  EXPECT_NEAR(wire_->times_s[1], 7.1, 1e-6) << "nobody is impatient";
}

TEST_F(DispatcherTest, KeepsABudgetAndUsesIt) {
  limits_.requests_per_window = 20;
  limits_.window_s = 2;
  open([](int, const Request&) { return answer(204); });
  offer_many(200);
  EXPECT_EQ(settle().size(), 200u);
  const auto& times_s = wire_->times_s;
  for (std::size_t i = 20; i < times_s.size(); ++i) EXPECT_GT(times_s[i] - times_s[i - 20], 2);
  EXPECT_LT(times_s.back(), 18 / 0.95);
}

TEST_F(DispatcherTest, NothingStartsBetweenTheAnswerThatAsksForAWaitAndItsEnd) {
  retry_.wait_initial_s = 0.01;
  double until_s = 0;
  open([&](int n, const Request&) {
    // Answers take 0.1 s, so what starts up to then has not heard of it.
    EXPECT_FALSE(clock_->monotonic_s() > until_s - 3 + 0.1 && clock_->monotonic_s() < until_s);
    if (n % 7 != 3) return answer(204);
    until_s = clock_->monotonic_s() + 0.1 + 3;
    return busy_for("3");
  });
  offer_many(100);
  settle();
  EXPECT_GT(wire_->requests.size(), 100u);
}

TEST_F(DispatcherTest, SharesItsTargetWithOthers) {
  open([](int, const Request&) { return answer(204); });
  dispatcher_->allow(2, 0);
  dispatcher_->hold(5);
  EXPECT_NEAR(dispatcher_->held_s(), 5, 1e-9);
  offer_many(10);
  EXPECT_EQ(settle().size(), 10u);
  EXPECT_EQ(wire_->most_in_flight, 2u);
  EXPECT_EQ(dispatcher_->started(), 10u);
  EXPECT_GE(wire_->times_s[0], 5);
  EXPECT_EQ(dispatcher_->held_s(), 0);
}

TEST_F(DispatcherTest, CountsTriesLatenciesAndTheTimeOfAWait) {
  retry_.wait_initial_s = 0.01;
  open([](int n, const Request&) { return n == 1 ? busy_for("3") : answer(204); });
  offer_many(4);
  settle();
  ASSERT_EQ(dispatcher_->traffic().size(), 1u);
  const Traffic& traffic = dispatcher_->traffic()[0];
  EXPECT_EQ(traffic.attempts, 5u);
  EXPECT_EQ(std::accumulate(traffic.latencies.begin(), traffic.latencies.end(), 0u), 4u);
  EXPECT_EQ(traffic.latencies[TrafficCounter::bucket_of(100)], 3u);
  EXPECT_EQ(traffic.latencies[TrafficCounter::bucket_of(3200)], 1u);
  EXPECT_NEAR(dispatcher_->throttled_s(), 3, 1e-9);
}

TEST(TrafficCounter, ABucketsBoundBelongsToIt) {
  for (const std::size_t i : {0u, 1u, 8u, 80u, 231u}) {
    const double bound_ms =
        Traffic::kLeast_ms * std::exp2(static_cast<double>(i) / Traffic::kPerDoubling);
    EXPECT_EQ(TrafficCounter::bucket_of(bound_ms * 0.9999), i);
  }
  EXPECT_EQ(TrafficCounter::bucket_of(0), 0u);
  EXPECT_EQ(TrafficCounter::bucket_of(1e12), Traffic::kBuckets - 1);
}

TEST_F(DispatcherTest, RecordsOfOneKeyGoOneBehindTheOther) {
  retry_.max_elapsed_s = 5;
  open([](int, const Request& request) {
    return answer(request.body_text() == "a1" || request.body_text() == "b2" ? 503 : 204);
  });
  offer({"a1", "a2", "b1", "b2", "b3", "c"}, 0, 0, {"a", "a", "b", "b", "b", ""});
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "expired");
  EXPECT_EQ(outcomes.at(2).outcome, "delivered");
  EXPECT_EQ(outcomes.at(5).outcome, "delivered");
  std::vector<std::string> a;
  std::vector<std::string> b;
  for (const Request& request : wire_->requests) {
    auto& sent = request.body_text()[0] == 'a' ? a : b;
    if (request.body_text() != "c" && (sent.empty() || sent.back() != request.body_text())) {
      sent.emplace_back(request.body_text());
    }
  }
  EXPECT_EQ(a, (std::vector<std::string>{"a1", "a2"}));
  EXPECT_EQ(b, (std::vector<std::string>{"b1", "b2", "b3"}));
}

TEST_F(DispatcherTest, NothingOvertakesWhatWaitsForItsSubscription) {
  Json document = Json::parse(kDynamics);
  document["subscriptions"].push_back({{"id", "t"}, {"action", "create"}, {"table", "account"}});
  const std::string unknown = R"({"error":{"code":"0x80060888","message":"no such name"}})";
  open(
      [&](int, const Request& request) {
        const bool refused = request.body_text().find("nonsense") != std::string::npos;
        return refused ? answer(400, unknown) : answer(204);
      },
      document.dump().c_str());
  offer({R"({"nonsense":1})", "{}", "{}", "{}"}, 0, 0, {"a", "a", "b", ""}, {0, 1, 1, 1});
  auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "waiting");
  EXPECT_EQ(outcomes.at(2).outcome, "waiting");
  EXPECT_EQ(outcomes.at(2).code, "0x80060888");
  EXPECT_EQ(outcomes.at(2).attempts, 0);
  EXPECT_EQ(outcomes.at(3).outcome, "delivered");
  EXPECT_EQ(outcomes.at(4).outcome, "delivered");
  offer({"{}", "{}", "{}"}, 0, 0, {"a", "c", "c"}, {1, 0, 1});
  outcomes = settle();
  EXPECT_EQ(outcomes.at(5).outcome, "waiting") << "its turn comes after the others of its key";
  EXPECT_EQ(outcomes.at(7).outcome, "waiting") << "behind one that was not even tried";
}

TEST_F(DispatcherTest, AStopSendsBackWhatStandsInLanes) {
  limits_.max_in_flight = 1;
  open([](int, const Request&) { return answer(204); });
  offer({"1", "2", "3"}, 0, 0, {"a", "a", "a"});
  EXPECT_TRUE(dispatcher_->settle(0).empty());
  dispatcher_->stop();
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes.at(1).outcome, "delivered");
  EXPECT_EQ(outcomes.at(3).outcome, "waiting");
}

TEST_F(DispatcherTest, LongWaitsGoBackSoThatOthersHaveRoom) {
  limits_.max_in_flight = 2;
  retry_.wait_initial_s = 100;
  open([](int n, const Request&) { return answer(n < 3 ? 503 : 204); });
  offer_many(3);
  std::vector<Outcome> told;
  while (told.empty()) told = dispatcher_->settle(1);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].outcome, "waiting");
  EXPECT_EQ(told[0].attempts, 1);
  EXPECT_GE(told[0].retry_in_s, 0);
  EXPECT_LE(told[0].retry_in_s, 100);
  EXPECT_EQ(dispatcher_->room(), 2u);
}

TEST_F(DispatcherTest, A401ParksUntilThereIsANewToken) {
  open([](int, const Request& request) {
    return answer(request.headers.back().value == "Bearer new" ? 204 : 401);
  });
  dispatcher_->authorize("Bearer old");
  offer_many(5);
  EXPECT_TRUE(settle().empty());
  EXPECT_TRUE(dispatcher_->token_wanted());
  EXPECT_TRUE(dispatcher_->settle(1).empty())
      << "the others come back with 401, nothing is started";
  EXPECT_EQ(wire_->requests.size(), 5u);
  dispatcher_->authorize("Bearer new");
  EXPECT_FALSE(dispatcher_->token_wanted());
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.size(), 5u);
  for (const auto& [claim, outcome] : outcomes) {
    EXPECT_EQ(outcome.outcome, "delivered");
    EXPECT_EQ(outcome.attempts, 2);
  }
  EXPECT_EQ(dispatcher_->pause_code(), "");
}

TEST_F(DispatcherTest, ALate401OfAnOldTokenTakesTheNewOne) {
  limits_.max_in_flight = 2;
  open([](int, const Request& request) {
    if (request.headers.back().value == "Bearer new") return answer(204);
    Response late = answer(401);
    if (request.body_text() == "late") late.elapsed_s = 9;
    return late;
  });
  dispatcher_->authorize("Bearer old");
  offer({"soon", "late"});
  settle();
  ASSERT_TRUE(dispatcher_->token_wanted());
  dispatcher_->authorize("Bearer new");
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes.at(2).outcome, "delivered");
  EXPECT_FALSE(dispatcher_->token_wanted());
}

TEST_F(DispatcherTest, ASecond401WithANewTokenPauses) {
  limits_.max_in_flight = 1;
  open([](int, const Request& request) {
    return answer(401, "no " + request.headers.back().value);
  });
  dispatcher_->authorize("Bearer secret-one");
  offer_many(3);
  settle();
  dispatcher_->authorize("Bearer secret-two");
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(dispatcher_->pause_code(), "http_401");
  EXPECT_EQ(dispatcher_->pause_message(), "the destination refused a new token: no Bearer ***");
  EXPECT_EQ(dispatcher_->room(), 0u);
  EXPECT_EQ(wire_->requests.size(), 2u);
  for (const auto& [claim, outcome] : outcomes) {
    EXPECT_EQ(outcome.outcome, "waiting");
    EXPECT_EQ(outcome.code, "http_401");
    EXPECT_EQ(outcome.message.find("secret"), std::string::npos) << outcome.message;
    EXPECT_FALSE(outcome.action_needed.empty());
  }
  EXPECT_EQ(outcomes.at(1).attempts, 2);
  EXPECT_EQ(outcomes.at(3).attempts, 0);
}

TEST_F(DispatcherTest, AQuestionThatRefusesEveryTokenPausesToo) {
  const std::string conflict = R"({"error":{"code":"0x80040237","message":"exists"}})";
  open(
      [&](int, const Request& request) {
        return request.method == "GET" ? answer(401) : answer(412, conflict);
      },
      kDynamics);
  offer_many(1);
  EXPECT_EQ(sign_in_until_told().at(1).outcome, "waiting");
  EXPECT_EQ(dispatcher_->pause_code(), "http_401");
}

TEST_F(DispatcherTest, PartsOfABatchThatRefuseEveryTokenPauseToo) {
  Json document = Json::parse(kDynamics);
  document["batching"] = "batch";
  open(
      [](int, const Request&) {
        Response refused = answer(200);
        refused.headers = {{"OData-Version", "4.0"},
                           {"Content-Type", "multipart/mixed; boundary=\"r\""}};
        for (const char* id : {"1", "2"}) {
          refused.body +=
              "--r\r\nContent-Type: application/http\r\nContent-ID: " + std::string(id) +
              "\r\n\r\nHTTP/1.1 401 Unauthorized\r\n\r\n\r\n";
        }
        refused.body += "--r--\r\n";
        return refused;
      },
      document.dump().c_str());
  offer_many(2);
  EXPECT_EQ(sign_in_until_told().at(1).outcome, "waiting");
  EXPECT_EQ(dispatcher_->pause_code(), "http_401");
}

TEST_F(DispatcherTest, TwoExpiredTokensInALongLifeAreNoPause) {
  open([](int n, const Request&) { return answer(n == 0 || n == 2 ? 401 : n == 1 ? 503 : 204); });
  offer_many(1);
  settle();
  dispatcher_->authorize("Bearer second");
  settle();
  ASSERT_TRUE(dispatcher_->token_wanted());
  dispatcher_->authorize("Bearer third");
  EXPECT_EQ(settle().at(1).outcome, "delivered");
}

TEST_F(DispatcherTest, TokensAreInNothingThatAnAnswerGives) {
  open(
      [](int, const Request&) {
        Response echo = answer(400, R"({"error":{"code":"to-ken-one","message":")" +
                                        std::string(492, 'm') + R"(to-ken-one"}})");
        echo.headers = {{"x-ms-service-request-id", "to-ken-one"}};
        return echo;
      },
      kDynamics);
  dispatcher_->authorize("Bearer to-ken-one");
  const Outcome outcome = settle_one();
  EXPECT_EQ(outcome.code, "***");
  EXPECT_EQ(outcome.message, std::string(492, 'm') + "***");
  EXPECT_EQ(outcome.request_id, "***");
}

TEST_F(DispatcherTest, ARequestKeepsItsOwnAuthorization) {
  constexpr const char* kOwn = R"({"type": "webhook", "subscriptions": [
      {"id": "s", "method": "POST", "url": "https://host/", "headers": {"authorization": "mine"}}]})";
  open([](int, const Request&) { return answer(204); }, kOwn);
  dispatcher_->authorize("Bearer token");
  settle_one();
  ASSERT_EQ(wire_->requests[0].headers.size(), 2u);
  EXPECT_EQ(wire_->requests[0].headers[0].value, "mine");
  dispatcher_->authorize("key", "X-Api-Key");
  settle_one();
  EXPECT_EQ(wire_->requests[1].headers[2].name, "X-Api-Key");
}

TEST_F(DispatcherTest, APauseSettlesWhatIsInFlightAndReturnsTheRest) {
  limits_.max_in_flight = 3;
  open([](int, const Request& request) {
    if (request.body_text() == "untrusted") return fault(Fault::untrusted);
    Response late = request.body_text() == "lost" ? fault(Fault::lost) : answer(204);
    late.elapsed_s = 5;
    return late;
  });
  offer({"untrusted", "lost", "good", "never sent"});
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(outcomes.at(1).outcome, "waiting");
  EXPECT_EQ(outcomes.at(1).code, "E502");
  EXPECT_EQ(outcomes.at(2).outcome, "unconfirmed");
  EXPECT_EQ(outcomes.at(3).outcome, "delivered");
  EXPECT_EQ(outcomes.at(4).outcome, "waiting");
  EXPECT_EQ(outcomes.at(4).code, "E502");
  EXPECT_EQ(outcomes.at(4).attempts, 0);
  EXPECT_EQ(dispatcher_->pause_code(), "E502");
  EXPECT_EQ(wire_->requests.size(), 3u);
  EXPECT_EQ(settle_one().outcome, "waiting") << "what comes later as well";
}

TEST_F(DispatcherTest, PausesWhereFiveInARowAreForbiddenAndLeavesAllOfThemUndecided) {
  limits_.max_in_flight = 8;
  open([](int, const Request&) { return answer(403, "no rights"); });
  offer_many(16);
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 16u);
  for (const auto& [claim, outcome] : outcomes) {
    EXPECT_EQ(outcome.outcome, "waiting") << claim;
    EXPECT_EQ(outcome.code, "http_403");
    EXPECT_EQ(outcome.message,
              outcome.attempts > 0 ? "no rights" : "the destination is paused: http_403");
  }
  EXPECT_EQ(dispatcher_->pause_code(), "http_403");
  EXPECT_EQ(
      dispatcher_->pause_message(),
      "the destination refused the last 5 records, all different, in the same words: no rights");
  EXPECT_EQ(wire_->requests.size(), 8u);
}

TEST_F(DispatcherTest, SomethingElseBetweenShowsThatNotAllAreForbidden) {
  limits_.max_in_flight = 1;
  open([](int n, const Request&) { return answer(n % 5 == 4 ? 204 : 403); });
  offer_many(20);
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "rejected");
  EXPECT_EQ(outcomes.at(5).outcome, "delivered");
  EXPECT_EQ(outcomes.at(19).outcome, "rejected");
  EXPECT_EQ(dispatcher_->pause_code(), "");
}

TEST_F(DispatcherTest, AFewForbiddenWithNothingBehindThemAreRejected) {
  open([](int, const Request&) { return answer(403); });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(settle_one().outcome, "rejected");
  EXPECT_EQ(settle_one().outcome, "waiting") << "the fifth in a row";
  EXPECT_EQ(dispatcher_->pause_code(), "http_403");
}

TEST_F(DispatcherTest, AForbiddenOneDoesNotStopThoseBehindIt) {
  limits_.max_in_flight = 4;
  open([](int, const Request& request) { return answer(request.body_text() == "1" ? 403 : 204); });
  offer({"1", "2", "3"}, 0, 0, {"a", "a", "a"});
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "rejected");
  EXPECT_EQ(outcomes.at(3).outcome, "delivered");
}

TEST_F(DispatcherTest, ATargetThatOnlyFailsIsProbedAndTheRunGoesOn) {
  for (const auto& ill : {fault(Fault::unreachable), answer(500), answer(503)}) {
    clock_ = std::make_shared<ManualClock>();
    wire_ = std::make_shared<Wire>();
    claims_ = 0;
    open([&](int, const Request&) { return clock_->monotonic_s() < 60 ? ill : answer(204); });
    offer_many(200);
    const auto outcomes = settle();
    ASSERT_EQ(outcomes.size(), 200u);
    std::size_t before = 0;
    for (const double time_s : wire_->times_s) before += time_s < 60 ? 1 : 0;
    EXPECT_LT(before, 60u);
    EXPECT_LT(clock_->monotonic_s(), 2 * 60 + 20);
    EXPECT_EQ(dispatcher_->pause_code(), "");
    for (const auto& [claim, outcome] : outcomes) {
      const bool postponed = outcome.outcome == "waiting" && outcome.retry_in_s >= 0;
      EXPECT_TRUE(postponed || outcome.outcome == "delivered") << claim;
    }
  }
}

TEST_F(DispatcherTest, ProbesAreOfDifferentRecordsWhileThereAreAny) {
  open([](int, const Request&) { return answer(500); });
  std::vector<std::string> bodies(32);
  for (int i = 0; i < 32; ++i) bodies[i] = std::to_string(i);
  offer(bodies);
  settle(30);
  std::map<std::string, int> tries;
  for (const Request& request : wire_->requests) ++tries[request.body];
  EXPECT_GT(tries.size(), 18u);
  for (const auto& [body, count] : tries) EXPECT_LE(count, 3) << body;
}

TEST_F(DispatcherTest, TellsWhatIsOpenSinceWhenAndWhy) {
  open([](int, const Request&) { return answer(500, "out of order"); });
  EXPECT_TRUE(dispatcher_->openings().empty());
  offer_many(40);
  settle(20);
  const auto openings = dispatcher_->openings();
  ASSERT_EQ(openings.size(), 1u);
  EXPECT_EQ(openings[0].target, "https://host");
  EXPECT_EQ(openings[0].code, "http_500");
  EXPECT_EQ(openings[0].message, "out of order");
  EXPECT_NEAR(openings[0].since_s, 19.9, 0.2);
  EXPECT_GE(openings[0].next_probe_s, 0);
}

TEST_F(DispatcherTest, ARunEndsWhereItsTargetFailsForAsLongAsRecordsAreTried) {
  retry_.max_elapsed_s = 50;
  open([](int, const Request&) { return fault(Fault::unreachable); });
  offer_many(40);
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.size(), 40u);
  EXPECT_EQ(dispatcher_->pause_code(), "E532");
  EXPECT_GE(clock_->monotonic_s(), 50);
  EXPECT_LE(clock_->monotonic_s(), 110);
  EXPECT_EQ(outcomes.at(40).outcome, "waiting");
}

TEST_F(DispatcherTest, RequestsToSlowDownWithoutAWaitEndInOneToo) {
  retry_.max_elapsed_s = 50;
  open([](int, const Request&) { return busy_for("0"); });
  offer_many(40);
  settle();
  EXPECT_LT(wire_->requests.size(), 60u);
  EXPECT_EQ(dispatcher_->pause_code(), "E532");
  EXPECT_TRUE(dispatcher_->openings().empty());
}

TEST_F(DispatcherTest, DoubtsEndTheRunWhenThereAreTen) {
  breaker_.untrusted = 8;
  open([](int, const Request&) { return fault(Fault::lost); });
  offer_many(100);
  const auto outcomes = settle();
  std::map<std::string, int> counts;
  for (const auto& [claim, outcome] : outcomes) ++counts[outcome.outcome];
  EXPECT_GE(counts["unconfirmed"], 10);
  EXPECT_LE(counts["unconfirmed"], 20);
  EXPECT_EQ(counts["unconfirmed"] + counts["waiting"], 100);
  EXPECT_EQ(dispatcher_->pause_code(), "E531");
}

TEST_F(DispatcherTest, OneAddressThatRefusesSixteenInARowPausesItsSubscription) {
  for (const int status : {301, 308, 404, 405, 410, 413, 451, 501}) {
    claims_ = 0;
    open([&](int, const Request&) { return answer(status); });
    offer_many(100);
    const auto outcomes = settle();
    ASSERT_EQ(outcomes.size(), 100u);
    for (const auto& [claim, outcome] : outcomes) EXPECT_EQ(outcome.outcome, "waiting") << status;
    ASSERT_EQ(dispatcher_->paused().size(), 1u);
    EXPECT_EQ(dispatcher_->paused()[0].code, "http_" + std::to_string(status));
  }
}

TEST_F(DispatcherTest, OneHostThatRefusesAllAddressesAlikePausesTheSubscriptionToo) {
  for (const int status : {301, 405, 501, 404, 410}) {
    claims_ = 0;
    open([&](int, const Request&) { return answer(status); }, kOwnAddresses);
    offer_at_own_addresses(100);
    const bool of_each = status == 404 || status == 410;
    for (const auto& [claim, outcome] : settle()) {
      EXPECT_EQ(outcome.outcome, of_each ? "rejected" : "waiting") << status;
    }
    EXPECT_EQ(dispatcher_->paused().size(), of_each ? 0u : 1u) << status;
  }
}

TEST_F(DispatcherTest, AGoodAnswerOfAnotherAddressShowsThatTheHostTakesThem) {
  open([](int n, const Request&) { return answer(n % 12 == 11 ? 204 : 405); }, kOwnAddresses);
  offer_at_own_addresses(15);
  offer_at_own_addresses(15);
  std::map<std::string, int> counts;
  for (const auto& [claim, outcome] : settle()) ++counts[outcome.outcome];
  EXPECT_EQ(counts["rejected"], 28);
  EXPECT_TRUE(dispatcher_->paused().empty());
}

TEST_F(DispatcherTest, APausedSubscriptionWaitsForNoRetry) {
  retry_.wait_initial_s = retry_.wait_max_s = 10'000;
  open([](int n, const Request&) { return answer(n < 3 ? 500 : 404); });
  offer_many(40);
  for (const auto& [claim, outcome] : settle()) EXPECT_EQ(outcome.outcome, "waiting") << claim;
  EXPECT_LT(clock_->monotonic_s(), 10);
}

TEST_F(DispatcherTest, FewerThanSixteenAreRejected) {
  open([](int, const Request&) { return answer(404); });
  offer_many(15);
  for (const auto& [claim, outcome] : settle()) EXPECT_EQ(outcome.outcome, "rejected") << claim;
  EXPECT_TRUE(dispatcher_->paused().empty());
}

TEST_F(DispatcherTest, AGoodAnswerBetweenRejectsThoseAlone) {
  open([](int, const Request& request) {
    return answer(std::stoi(std::string(request.body_text())) % 20 == 0 ? 404 : 204);
  });
  std::vector<std::string> bodies;
  for (int i = 0; i < 400; ++i) bodies.push_back(std::to_string(i));
  offer(bodies);
  std::map<std::string, int> counts;
  for (const auto& [claim, outcome] : settle()) ++counts[outcome.outcome];
  EXPECT_EQ(counts["rejected"], 20);
  EXPECT_EQ(counts["delivered"], 380);
}

TEST_F(DispatcherTest, RefusalsOfTheRecordStopNothing) {
  open([](int, const Request&) { return answer(422); });
  offer_many(100);
  for (const auto& [claim, outcome] : settle()) EXPECT_EQ(outcome.outcome, "rejected") << claim;
  EXPECT_TRUE(dispatcher_->paused().empty());
}

constexpr const char* kTwoPaths = R"({"type": "webhook", "subscriptions": [
    {"id": "a", "method": "POST", "url": "https://host/dead"},
    {"id": "b", "method": "POST", "url": "https://host/well"}]})";

TEST_F(DispatcherTest, ADeadPathIsNotHiddenByTheGoodAnswersOfAnother) {
  open(
      [](int, const Request& request) { return answer(request.url.ends_with("dead") ? 404 : 204); },
      kTwoPaths);
  std::vector<std::uint32_t> subscriptions;
  for (std::uint32_t i = 0; i < 100; ++i) subscriptions.push_back(i % 2);
  offer(std::vector<std::string>(100, "{}"), 0, 0, {}, subscriptions);
  std::map<std::string, int> counts;
  for (const auto& [claim, outcome] : settle()) ++counts[outcome.outcome];
  EXPECT_EQ(counts["waiting"], 50);
  EXPECT_EQ(counts["delivered"], 50);
}

TEST_F(DispatcherTest, AForbiddenPathIsNotHiddenByTheGoodAnswersOfAnother) {
  open(
      [](int, const Request& request) { return answer(request.url.ends_with("dead") ? 403 : 204); },
      kTwoPaths);
  std::vector<std::uint32_t> subscriptions;
  for (std::uint32_t i = 0; i < 100; ++i) subscriptions.push_back(i % 2);
  offer(std::vector<std::string>(100, "{}"), 0, 0, {}, subscriptions);
  std::map<std::string, int> counts;
  for (const auto& [claim, outcome] : settle()) ++counts[outcome.outcome];
  EXPECT_EQ(counts["waiting"], 50);
  EXPECT_EQ(counts["delivered"], 50);
}

constexpr const char* kTwoHosts = R"({"type": "webhook", "subscriptions": [
    {"id": "a", "method": "POST", "url": "https://ill/"},
    {"id": "b", "method": "POST", "url": "https://well/"}]})";

TEST_F(DispatcherTest, OneTargetThatFailsHoldsNoOther) {
  open([](int, const Request& request) { return answer(request.host() == "ill" ? 500 : 204); },
       kTwoHosts);
  std::size_t well = 0;
  for (int round = 0; round < 50; ++round) {  // as a run does: more whenever there is room
    const auto room = std::min<std::size_t>(dispatcher_->room(), 20);
    std::vector<std::uint32_t> subscriptions;
    for (std::uint32_t i = 0; i < room; ++i) subscriptions.push_back(i % 2);
    if (room > 0) offer(std::vector<std::string>(room, "{}"), 0, 0, {}, subscriptions);
    for (const auto& [claim, outcome] : settle(clock_->monotonic_s() + 0.2)) {
      well += outcome.outcome == "delivered" ? 1 : 0;
    }
  }
  std::size_t ill = 0;
  for (const Request& request : wire_->requests) ill += request.host() == "ill" ? 1 : 0;
  EXPECT_GT(well, 200u);
  EXPECT_LT(ill, 50u);
}

TEST_F(DispatcherTest, BeginsWithOneRequestWhereNothingSucceededYet) {
  breaker_.untrusted = 8;
  open([](int, const Request&) { return answer(401); });
  offer_many(30);
  settle();
  EXPECT_TRUE(dispatcher_->token_wanted());
  EXPECT_EQ(wire_->requests.size(), 1u);
  dispatcher_->authorize("Bearer other");
  settle();
  EXPECT_EQ(dispatcher_->pause_code(), "http_401");
  EXPECT_LE(wire_->requests.size(), 4u);
}

TEST_F(DispatcherTest, TheWaitsOfARecordGrowOverItsOffers) {
  retry_.wait_initial_s = 1;
  retry_.wait_max_s = 64;
  limits_.max_in_flight = 1;
  breaker_.failures = 0;
  open([](int, const Request&) { return answer(500); });
  double longest_s = 0;
  std::int32_t tries = 0;
  for (int i = 0; i < 8; ++i) {
    auto batch = std::make_shared<Batch>();
    for (int other = 0; other < 2; ++other) {
      Record record;
      record.event_id = batch->keep(std::to_string(other));
      record.body = batch->keep("{}");
      batch->records.push_back(record);
    }
    open([](int, const Request&) { return answer(500); });
    dispatcher_->offer(batch, {{0, 1, 0, i, false, tries}, {1, 2, 0, i, false, tries}});
    for (const auto& [claim, outcome] : settle(clock_->monotonic_s() + 0.5)) {
      EXPECT_EQ(outcome.tries, tries + 1);
      longest_s = std::max(longest_s, outcome.retry_in_s);
    }
    ++tries;
  }
  EXPECT_GT(longest_s, 4);
}

TEST_F(DispatcherTest, TheLastTroubleIsKnownWhileItIsTriedAgain) {
  open([](int n, const Request&) { return n < 2 ? fault(Fault::unreachable) : answer(204); });
  EXPECT_EQ(dispatcher_->trouble().tries, 0u);
  EXPECT_EQ(settle_one().outcome, "delivered");
  const Dispatcher::Trouble trouble = dispatcher_->trouble();
  EXPECT_EQ(trouble.tries, 2u);
  EXPECT_EQ(trouble.code, "E501");
  EXPECT_EQ(trouble.message, "cannot connect to host: because");
}

TEST_F(DispatcherTest, StopStartsNothingMore) {
  limits_.max_in_flight = 1;
  open([](int, const Request&) { return answer(204); });
  offer_many(3);
  EXPECT_TRUE(dispatcher_->settle(0).empty());
  dispatcher_->stop();
  const auto outcomes = settle();
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes.at(1).outcome, "delivered");
  EXPECT_EQ(outcomes.at(2).outcome, "waiting");
  EXPECT_EQ(outcomes.at(2).message, "");
  EXPECT_EQ(wire_->requests.size(), 1u);
  EXPECT_EQ(dispatcher_->pause_code(), "");
}

TEST_F(DispatcherTest, HangingUpSettlesWhatIsOnTheWireAsLost) {
  limits_.max_in_flight = 1;
  open([](int, const Request&) { return answer(204); });
  offer_many(2);
  EXPECT_TRUE(dispatcher_->settle(0).empty());
  dispatcher_->hang_up();
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "unconfirmed");
  EXPECT_EQ(outcomes.at(1).code, "E503");
  EXPECT_EQ(outcomes.at(2).outcome, "waiting");
  EXPECT_EQ(clock_->monotonic_s(), 0) << "nothing is waited for";
}

TEST_F(DispatcherTest, HangingUpLeavesWhatMayBeSentAgainWaitingInDoubt) {
  open([](int, const Request&) { return answer(204); }, kDynamics);
  offer({R"({"name": "a"})"});
  EXPECT_TRUE(dispatcher_->settle(0).empty());
  dispatcher_->hang_up();
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "waiting");
  EXPECT_TRUE(outcomes.at(1).in_doubt);
  EXPECT_LT(outcomes.at(1).retry_in_s, 0) << "not in this run";
}

TEST_F(DispatcherTest, AStopEndsTheWaitForATokenToo) {
  open([](int, const Request&) { return answer(401); });
  offer_many(1);
  settle();
  dispatcher_->stop();
  EXPECT_EQ(dispatcher_->settle(0).size(), 1u);
  EXPECT_EQ(dispatcher_->outstanding(), 0u);
}

TEST_F(DispatcherTest, WhatCannotBecomeARequestIsInvalid) {
  open([](int, const Request&) { return answer(204); }, kDynamics);
  offer({"[]", "{}"});
  const auto outcomes = settle();
  EXPECT_EQ(outcomes.at(1).outcome, "invalid");
  EXPECT_EQ(outcomes.at(1).code, "E513");
  EXPECT_EQ(outcomes.at(1).attempts, 0);
  EXPECT_EQ(outcomes.at(2).outcome, "delivered");
}

TEST_F(DispatcherTest, WhatMayHaveArrivedIsUnconfirmedWhereItNoLongerBecomesARequest) {
  in_doubt_ = true;
  open([](int, const Request&) { return answer(204); }, kDynamics);
  const Outcome outcome = settle_one("[]");
  EXPECT_EQ(outcome.outcome, "unconfirmed");
  EXPECT_EQ(outcome.code, "E513");
  EXPECT_TRUE(wire_->requests.empty());
}

TEST_F(DispatcherTest, ALostAnswerIsVerifiedAndCountsOnce) {
  const std::string conflict = R"({"error":{"code":"0x80040237","message":"exists"}})";
  open(
      [&](int n, const Request& request) {
        if (n == 0) return fault(Fault::lost);
        return request.method == "GET" ? found() : answer(412, conflict);
      },
      kDynamics);
  const Outcome outcome = settle_one();
  EXPECT_EQ(outcome.outcome, "delivered");
  EXPECT_EQ(outcome.effect, "created");
  EXPECT_EQ(outcome.code, "");
  EXPECT_EQ(outcome.attempts, 2);
  ASSERT_EQ(wire_->requests.size(), 3u);
  EXPECT_EQ(wire_->requests[0].body, wire_->requests[1].body);
  EXPECT_NE(wire_->requests[2].url.find(outcome.record_id), std::string::npos);
  EXPECT_EQ(outcome.record_id.size(), 36u);
}

TEST_F(DispatcherTest, ARowOfAnIdThatTheBodyBringsMayBeSomebodyElses) {
  const std::string conflict = R"({"error":{"code":"0x80040237","message":"exists"}})";
  const std::string body = R"({"accountid":"aaaaaaaa-0000-0000-0000-000000000001"})";
  bool lost = false;
  open(
      [&](int, const Request& request) {
        if (std::exchange(lost, false)) return fault(Fault::lost);
        return request.method == "GET" ? found() : answer(412, conflict);
      },
      kDynamics);
  const Outcome first = settle_one(body);
  EXPECT_EQ(first.outcome, "rejected");
  EXPECT_EQ(first.code, "0x80040237");
  lost = true;
  EXPECT_EQ(settle_one(body).outcome, "unconfirmed");
}

TEST_F(DispatcherTest, AConflictWithAnotherRowKeepsItsWords) {
  open(
      [](int, const Request& request) {
        return request.method == "GET"
                   ? answer(404, R"({"error":{"code":"0x80040217","message":"absent"}})")
                   : answer(412, R"({"error":{"code":"0x80060892","message":"same name"}})");
      },
      kDynamics);
  const Outcome outcome = settle_one();
  EXPECT_EQ(outcome.outcome, "rejected");
  EXPECT_EQ(outcome.code, "0x80060892");
  EXPECT_EQ(outcome.message, "same name");
  EXPECT_EQ(outcome.http_status, 412);
  EXPECT_FALSE(outcome.action_needed.empty());
}

TEST_F(DispatcherTest, AQuestionWithoutAnAnswerSendsTheCallAgain) {
  open(
      [](int n, const Request& request) {
        if (n == 1) return fault(Fault::lost);
        return request.method == "GET"
                   ? found()
                   : answer(412, R"({"error":{"code":"0x80040237","message":"exists"}})");
      },
      kDynamics);
  EXPECT_EQ(settle_one().outcome, "delivered");
  EXPECT_EQ(wire_->requests.size(), 4u);
}

TEST_F(DispatcherTest, GivesUpWhereTheCatalogueSaysAFewTries) {
  open(
      [](int, const Request&) {
        return answer(500, R"({"error":{"code":"0x80040216","message":"unexpected"}})");
      },
      kDynamics);
  const Outcome outcome = settle_one();
  EXPECT_EQ(outcome.outcome, "rejected");
  EXPECT_EQ(outcome.attempts, 5);
}

// The first try takes effect unheard, all others are refused; reading the row says `row`.
constexpr const char* kUnexpected = R"({"error":{"code":"0x80040216","message":"unexpected"}})";
constexpr const char* kAbsent = R"({"error":{"code":"0x80040217","message":"absent"}})";

TEST_F(DispatcherTest, ARefusalAfterALostAnswerIsHeldAgainstTheRow) {
  for (const bool there : {true, false}) {
    open(
        [&](int n, const Request& request) {
          if (n == 0) return fault(Fault::lost);
          if (request.method != "GET") return answer(500, kUnexpected);
          return there ? found() : answer(404, kAbsent);
        },
        kDynamics);
    wire_->requests.clear();
    const Outcome outcome = settle_one();
    EXPECT_EQ(outcome.outcome, there ? "delivered" : "rejected");
    EXPECT_EQ(outcome.code, there ? "" : "0x80040216");
    EXPECT_EQ(outcome.attempts, 6);  // the lost one was no such answer
    EXPECT_EQ(wire_->requests.back().method, "GET");
  }
}

TEST_F(DispatcherTest, ARefusalAfterAGatewaysAnswerIsUnconfirmedWhereNoRowTells) {
  const std::string conflict = R"({"error":{"code":"0x80040237","message":"exists"}})";
  for (const int status : {504, 429}) {
    open([&](int n, const Request&) { return n == 0 ? answer(status) : answer(412, conflict); },
         kDynamics);
    wire_->requests.clear();
    EXPECT_EQ(settle_one(R"({"accountid":"aaaaaaaa-0000-0000-0000-000000000001"})").outcome,
              status == 504 ? "unconfirmed" : "rejected");
  }
}

TEST_F(DispatcherTest, ExpiryAfterALostAnswerIsHeldAgainstTheRow) {
  retry_.max_elapsed_s = 3;
  open(
      [&](int n, const Request& request) {
        if (n == 0) return fault(Fault::lost);
        return request.method == "GET" ? answer(404, kAbsent) : answer(503);
      },
      kDynamics);
  EXPECT_EQ(settle_one().outcome, "expired");
}

TEST_F(DispatcherTest, WhereNobodyAnswersTheLastQuestionItIsUnconfirmed) {
  open(
      [](int n, const Request& request) {
        return n == 0 || request.method == "GET" ? fault(Fault::lost) : answer(400);
      },
      kDynamics);
  EXPECT_EQ(settle_one().outcome, "unconfirmed");
  EXPECT_GE(clock_->monotonic_s(), retry_.max_elapsed_s);
  EXPECT_LT(wire_->requests.size(), 4000u) << "the waits must grow";
}

TEST_F(DispatcherTest, TheLastQuestionIsAskedUntilItIsAnswered) {
  for (const bool there : {true, false}) {
    open(
        [&](int n, const Request& request) {
          if (n == 0) return fault(Fault::lost);
          if (request.method != "GET") return answer(400);
          if (n < 6) return n % 2 == 0 ? answer(503) : fault(Fault::lost);
          return there ? found() : answer(404, kAbsent);
        },
        kDynamics);
    wire_->requests.clear();
    EXPECT_EQ(settle_one().outcome, there ? "delivered" : "rejected");
    EXPECT_EQ(wire_->requests.size(), 7u);
  }
}

TEST_F(DispatcherTest, OnlyRefusalsOfThatKindCountTowardsGivingUp) {
  open(
      [](int n, const Request&) {
        if (n == 20) return answer(204);
        return n % 5 == 0 ? answer(500, kUnexpected) : answer(503);
      },
      kDynamics);
  const Outcome outcome = settle_one();
  EXPECT_EQ(outcome.outcome, "delivered");
  EXPECT_EQ(outcome.attempts, 21);
}

TEST_F(DispatcherTest, ADeadRunsRecordIsHeldAgainstTheRowToo) {
  in_doubt_ = true;
  open([](int, const Request& request) { return request.method == "GET" ? found() : answer(400); },
       kDynamics);
  EXPECT_EQ(settle_one().outcome, "delivered");
}

TEST_F(DispatcherTest, WhereThereIsNothingToAskALostAnswerStaysUnconfirmed) {
  constexpr const char* kResend = R"({"type": "webhook", "on_unconfirmed": "resend",
      "subscriptions": [{"id": "s", "method": "POST", "url": "https://host/in"}]})";
  open([](int n, const Request&) { return n == 0 ? fault(Fault::lost) : answer(400); }, kResend);
  EXPECT_EQ(settle_one().outcome, "unconfirmed");
}

TEST_F(DispatcherTest, ATokenThatRunsOutAtTheLastQuestionIsRenewed) {
  open(
      [](int n, const Request& request) {
        if (n == 0) return fault(Fault::lost);
        if (request.method != "GET") return answer(400);
        return n == 2 ? answer(401) : found();
      },
      kDynamics);
  offer_many(1);
  settle();
  ASSERT_TRUE(dispatcher_->token_wanted());
  dispatcher_->authorize("Bearer new");
  EXPECT_EQ(settle().at(1).outcome, "delivered");
  EXPECT_EQ(wire_->requests.size(), 4u);
}

TEST_F(DispatcherTest, WhatCouldNotBeHandedToTheWireIsStillThere) {
  for (const char* batching : {"off", "bulk"}) {
    Json document = Json::parse(kDynamics);
    document["batching"] = batching;
    bool fails = true;
    open(
        [&](int, const Request&) {
          if (std::exchange(fails, false)) throw std::runtime_error("no memory");
          return found();
        },
        document.dump().c_str());
    wire_->requests.clear();
    dispatcher_->authorize("Bearer token");
    offer_many(3);
    EXPECT_THROW(dispatcher_->settle(1), std::runtime_error);
    EXPECT_EQ(dispatcher_->outstanding(), 3u);
    EXPECT_EQ(dispatcher_->in_flight(), 0u);
    const auto outcomes = settle(100);
    ASSERT_EQ(outcomes.size(), 3u) << batching;
    for (const auto& [claim, outcome] : outcomes) EXPECT_EQ(outcome.outcome, "delivered");
    ASSERT_GE(wire_->requests.size(), 2u);
    EXPECT_EQ(wire_->requests[0].body, wire_->requests[1].body) << "the same first";
    EXPECT_EQ(wire_->requests[0].headers.size(), wire_->requests[1].headers.size());
    EXPECT_EQ(dispatcher_->operations(), 3u);
  }
}

TEST_F(DispatcherTest, PreviewSendsNothing) {
  open([](int, const Request&) { return answer(204); });
  Batch batch;
  Record record;
  record.body = batch.keep("{}");
  batch.records.push_back(record);
  EXPECT_EQ(dispatcher_->preview(batch, 0).request.body_text(), "{}");
  EXPECT_THROW(dispatcher_->preview(batch, 1), std::out_of_range);
  EXPECT_TRUE(dispatcher_->successors(dispatcher_->preview(batch, 0)).empty());
  EXPECT_EQ(dispatcher_->weigh(batch), (std::vector{std::pair{1U, 0U}}));
  EXPECT_TRUE(wire_->requests.empty());
}

TEST_F(DispatcherTest, AnOfferBeyondTheBatchTakesNothing) {
  open([](int, const Request&) { return answer(204); });
  EXPECT_THROW(dispatcher_->offer(std::make_shared<Batch>(), {Offer{}}), std::out_of_range);
  EXPECT_EQ(dispatcher_->outstanding(), 0u);
}

TEST_F(DispatcherTest, RefusesAForkedChild) {
  open([](int, const Request&) { return answer(204); });
  offer_many(1);
  const pid_t child = fork();
  if (child == 0) {
    int refused = 0;
    const auto refuses = [&](auto&& act) {
      try {
        act();
      } catch (const std::logic_error&) {
        ++refused;
      }
    };
    refuses([&] { dispatcher_->settle(0); });
    refuses([&] { dispatcher_->authorize("x"); });
    refuses([&] { dispatcher_->offer(std::make_shared<Batch>(), {}); });
    _exit(refused == 3 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(settle().size(), 1u);
}

TEST(MakeDispatcher, ReadsTheWholeDocument) {
  const auto dispatcher = make_dispatcher(Json::parse(R"({"protocol": {"type": "webhook"},
      "limits": {"max_in_flight": 4}, "retry": {"statuses": [503]}, "transport": {}})"));
  EXPECT_EQ(dispatcher->room(), 8u);
  EXPECT_THROW(make_dispatcher(Json::parse("{}")), DocumentError);
  EXPECT_THROW(make_dispatcher(Json::parse(R"({"protocol": {"type": "webhook"},
      "limits": {"max": 4}})")),
               DocumentError);
}

}  // namespace
}  // namespace fieldpost
