// Packs of records to Dynamics 365 over time: what travels with whom again after a refusal, a lost
// answer or a conflict.
#include <gtest/gtest.h>

#include <algorithm>
#include <climits>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "dispatch/scripted_transport.h"
#include "fieldpost/dispatcher.h"
#include "protocol/dynamics/multipart.h"

namespace fieldpost {
namespace {

constexpr const char* kNextPage = R"(],"@odata.nextLink":"https://org/next"})";

// A service with one table: accounts by id, one bulk message, one way to ask.
class Service {
 public:
  std::set<std::string> rows;
  std::string bad;              // a row that is refused, by id
  int lose = 0;                 // answers that are lost, after the work is done
  std::size_t page = SIZE_MAX;  // rows of a list
  bool silent = false;          // nothing is answered, and nothing done
  bool binds = false;           // `bad` is refused for a row that is not there yet …
  int missing = 0;              // … so often alone
  int alone = 0;                // requests for `bad` alone
  bool too_slow = false;        // the database runs out of time
  bool lacks_messages = false;
  std::function<void()> heard = [] {};
  std::map<std::string, int> created;

  Response operator()(int, const Request& request) {
    Response response = silent ? Response() : answer(request);
    const bool loses = response.status == 200 && request.method == "POST" && lose > 0;
    if (silent || loses) {
      if (loses) --lose;
      response = Response();
      response.fault = Fault::lost;
    }
    return response;
  }

 private:
  static Response with(int status, std::string body) {
    Response response;
    response.status = status;
    response.headers = {{"OData-Version", "4.0"}, {"Content-Type", "application/json"}};
    response.body = std::move(body);
    return response;
  }

  static Response refusal(int status, const std::string& code) {
    return with(status, R"({"error":{"code":")" + code + R"(","message":"m"}})");
  }

  // Every quoted id behind `mark`.
  static std::vector<std::string> ids(const std::string& text, const std::string& mark) {
    std::vector<std::string> found;
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; ++at) {
      found.push_back(text.substr(at + mark.size(), 36));
    }
    return found;
  }

  Response answer(const Request& request) {
    heard();
    if (request.method == "GET") return known(request.url);
    const bool is_message = request.url.find("Microsoft.Dynamics.CRM.") != std::string::npos;
    if (lacks_messages && is_message) return refusal(400, "0x80040800");
    if (too_slow) return refusal(500, "0x80044151");
    const std::vector<std::string> wanted = ids(request.body, R"("accountid":")");
    for (const std::string& id : wanted) {
      if (id == bad && binds) {
        if (wanted.size() == 1 && alone++ >= missing) continue;
        return refusal(404, "0x80040217");
      }
      if (id == bad) return refusal(400, "0x80044331");
      if (rows.contains(id)) return refusal(412, "0x80040237");
    }
    for (const std::string& id : wanted) {
      rows.insert(id);
      ++created[id];
    }
    if (request.url.ends_with("/$batch")) return parts(wanted.size());
    return with(200, R"({"Ids":[]})");
  }

  static Response parts(std::size_t count) {
    Response response = with(200, "");
    for (std::size_t i = 0; i < count; ++i) {
      write_part(response.body, "r",
                 {{"Content-Type", "application/http"}, {"Content-ID", std::to_string(i + 1)}},
                 "HTTP/1.1 204 No Content\r\n\r\n\r\n");
    }
    write_end(response.body, "r");
    response.headers = {{"OData-Version", "4.0"}, {"Content-Type", "multipart/mixed; boundary=r"}};
    return response;
  }

  Response known(const std::string& url) const {
    const bool several = url.find("$filter") != std::string::npos;
    const std::vector<std::string> asked = ids(url, several ? "'" : "(");
    std::string found;
    std::size_t shown = 0;
    for (const std::string& id : asked) {
      if (!rows.contains(id)) continue;
      if (++shown > page) return with(200, "{\"value\":[" + found + kNextPage);
      found.append(found.empty() ? "" : ",").append(R"({"accountid":")" + id + "\"}");
    }
    if (!several) return found.empty() ? refusal(404, "0x80040217") : with(200, "{}");
    return with(200, "{\"value\":[" + found + "]}");
  }
};

class PacksTest : public testing::Test {
 protected:
  void deliver(int count, std::uint64_t operations = UINT64_MAX) {
    wire_->destination = std::ref(service_);
    dispatcher_ = std::make_unique<Dispatcher>(
        make_protocol(Json::parse(R"({"type": "dynamics365", "destination": "d",
            "url": "https://org", "batching": "bulk",
            "subscriptions": [)" + subscription_ +
                                  R"(],
            "tables": {"account": {"set": "accounts", "key": "accountid", "navigation": {
                         "people": {"table": "contact", "collection": true,
                                    "partner": "company"}}},
                       "contact": {"set": "contacts", "key": "contactid"}}})")),
        std::make_unique<ScriptedTransport>(wire_, clock_), retry_, limits_, clock_,
        std::make_shared<Random>(1));
    dispatcher_->allow_operations(operations);
    auto batch = std::make_shared<Batch>();
    std::vector<Offer> offers;
    for (int i = 0; i < count; ++i) {
      Record record;
      record.event_id = batch->keep("e" + std::to_string(i));
      record.body = batch->keep(body_);
      record.headers = batch->keep(R"({"key": )" + std::to_string(i) + "}");
      batch->records.push_back(record);
      offers.push_back({static_cast<std::uint32_t>(i), i + 1, 0, 0, false});
    }
    if (bad_ >= 0) {
      service_.bad = dispatcher_->preview(*batch, static_cast<std::uint32_t>(bad_)).record_id;
    }
    dispatcher_->offer(batch, offers);
    while (dispatcher_->outstanding() > 0) {
      for (Outcome& outcome : dispatcher_->settle(1000)) {
        EXPECT_TRUE(outcomes_.emplace(outcome.claim, outcome).second) << "told twice";
      }
    }
  }

  int counted(const std::string& outcome) const {
    return static_cast<int>(std::count_if(outcomes_.begin(), outcomes_.end(), [&](const auto& one) {
      return one.second.outcome == outcome;
    }));
  }

  int of_method(const std::string& method) const {
    return static_cast<int>(
        std::count_if(wire_->requests.begin(), wire_->requests.end(),
                      [&](const Request& request) { return request.method == method; }));
  }

  bool each_once() const {
    return std::all_of(service_.created.begin(), service_.created.end(),
                       [](const auto& one) { return one.second == 1; });
  }

  Service service_;
  std::string subscription_ = R"({"id": "s", "action": "create", "table": "account"})";
  std::string body_ = "{}";
  int bad_ = -1;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  RetryPolicy retry_;
  Limits limits_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::map<std::int64_t, Outcome> outcomes_;
};

TEST_F(PacksTest, RowsOfATableAreOneRequest) {
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_EQ(wire_->requests.size(), 1u);
  EXPECT_EQ(dispatcher_->operations(), 100u);
}

TEST_F(PacksTest, HalvesFindTheOneThatIsRefused) {
  bad_ = 37;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 99);
  EXPECT_EQ(outcomes_.at(38).outcome, "rejected");
  EXPECT_EQ(outcomes_.at(38).code, "0x80044331");
  EXPECT_LE(wire_->requests.size(), 1u + 2u * 7u);
  EXPECT_TRUE(each_once());
}

TEST_F(PacksTest, WhatWasLostGoesTogetherAgainAndIsAskedForAtOnce) {
  service_.lose = 1;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_TRUE(each_once());
  EXPECT_EQ(of_method("GET"), 1);
  EXPECT_EQ(of_method("POST"), 2) << "the one whose answer was lost, and the one that conflicts";
}

TEST_F(PacksTest, OnlyWhatIsNotThereYetIsSentAfterAConflict) {
  deliver(40);  // e0 to e39
  outcomes_.clear();
  wire_->requests.clear();
  service_.created.clear();
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_EQ(service_.created.size(), 60u);
  EXPECT_EQ(of_method("GET"), 1);
  EXPECT_LE(of_method("POST"), 3) << "all, then the rest in no more than halves";
}

TEST_F(PacksTest, NothingStartsBeyondTheOperationsThatAreLeft) {
  deliver(100, 30);
  EXPECT_EQ(counted("delivered"), 30);
  EXPECT_EQ(counted("waiting"), 70);
  EXPECT_TRUE(dispatcher_->used_up());
}

TEST_F(PacksTest, ThePlaceForRecordsGrowsWithThePacks) {
  const Limits limits;
  deliver(2000);
  EXPECT_EQ(counted("delivered"), 2000);
  EXPECT_GT(dispatcher_->capacity(), 2u * 16u * 100u);
}

TEST_F(PacksTest, AListThatIsNotWholeIsAskedForInSmallerOnes) {
  deliver(40);  // e0 to e39
  outcomes_.clear();
  service_.page = 30;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_EQ(service_.rows.size(), 100u) << "none is taken for delivered unseen";
  EXPECT_TRUE(each_once());
}

TEST_F(PacksTest, AChangeSetStartsOnlyWhereAllItsOperationsAreLeft) {
  subscription_ = R"({"id": "s", "action": "upsert", "table": "account", "key": "value"})";
  body_ = R"({"people": [{}, {}, {}]})";
  service_.silent = true;
  deliver(2, 6);
  EXPECT_EQ(wire_->requests.size(), 1u);
  EXPECT_EQ(dispatcher_->operations(), 4u);
  EXPECT_TRUE(dispatcher_->used_up());
  EXPECT_EQ(counted("waiting"), 2);
  dispatcher_->allow_operations(8);
  EXPECT_FALSE(dispatcher_->used_up());
}

TEST_F(PacksTest, ABindToARowThatIsNotThereYetIsWaitedForByTheRecordAlone) {
  bad_ = 37;
  service_.binds = true;
  service_.missing = 3;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_TRUE(each_once());
  service_.missing = INT_MAX;
  service_.alone = 0;
  service_.rows.clear();
  outcomes_.clear();
  deliver(100);
  EXPECT_EQ(outcomes_.at(38).outcome, "rejected");
  EXPECT_EQ(outcomes_.at(38).code, "0x80040217");
  EXPECT_EQ(service_.alone, 5) << "the tries that a record alone has";
}

TEST_F(PacksTest, TriesThatSayNothingOfARecordAreNotKeptForTheNextRun) {
  service_.too_slow = true;
  service_.heard = [this] { dispatcher_->stop(); };
  deliver(100);
  EXPECT_EQ(counted("waiting"), 100);
  for (const auto& [claim, outcome] : outcomes_) EXPECT_EQ(outcome.attempts, 0);
}

TEST_F(PacksTest, AConflictOfAnotherIsNoTryOfARecord) {
  deliver(40);  // e0 to e39
  outcomes_.clear();
  retry_.max_attempts = 1;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_TRUE(each_once());
}

TEST_F(PacksTest, AMessageThatTheTableDoesNotHaveIsNoTryOfARecord) {
  service_.lacks_messages = true;
  retry_.max_attempts = 1;
  deliver(100);
  EXPECT_EQ(counted("delivered"), 100);
  EXPECT_EQ(wire_->requests.size(), 2u) << "the message, then a batch";
}

}  // namespace
}  // namespace fieldpost
