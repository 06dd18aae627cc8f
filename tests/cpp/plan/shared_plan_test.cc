// One plan, many threads: what the reading thread of a run, and the threads of `transform`, do.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fieldpost/plan.h"
#include "plan/chunk_of.h"

namespace fieldpost {
namespace {

constexpr std::size_t kThreads = 4;
constexpr int kRounds = 8;

const Json kDocument = Json::parse(R"json({"subscriptions": [
  {"filter": "type = 'track' and lowercase(properties.city) = 'berlin'",
   "body": {"city": {"@case": {"operator": "upper", "value": {"@path": "$.properties.city"}}},
            "note": {"@template": "{{messageId}} of {{properties.city}}"}}},
  {"filter": "contains(properties.city, 'o')",
   "body": {"lines": {"@arrayPath": ["$.properties.lines", {"n": {"@path": "$.n"}}]}}}]})json");

std::string lines(int first, int count) {
  static constexpr const char* kCities[] = {"Berlin", "Oslo", "Łódź", "Lyon"};
  std::string text;
  for (int i = first; i < first + count; ++i) {
    text.append(R"({"type":"track","messageId":"m-)").append(std::to_string(i));
    text.append(R"(","properties":{"city":")").append(kCities[i % 4]);
    text.append(R"(","lines":[{"n":1.50},{"n":2}]}})").append(i % 7 == 0 ? "broken\n" : "\n");
  }
  return text;
}

TEST(SharedPlan, GivesEachThreadWhatItGivesOne) {
  const Plan plan(kDocument);
  std::vector<Chunk> chunks;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < kThreads; ++i) {
    chunks.push_back(chunk_of(lines(static_cast<int>(i) * 1000, 200)));
    expected.push_back(Plan(kDocument).process(chunks.back())->bodies(std::nullopt));
    ASSERT_FALSE(expected.back().empty());
  }
  std::vector<std::string> found(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        found[i] = plan.process(chunks[i])->bodies(std::nullopt);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(found, expected);
}

TEST(SharedPlan, CountsInSeveralThreadsWhatItCountsInOne) {
  const Plan plan(kDocument);
  std::vector<Chunk> chunks;
  const auto expected = plan.profile(chunk_of(""), true);
  for (std::size_t i = 0; i < kThreads; ++i) {
    chunks.push_back(chunk_of(lines(static_cast<int>(i) * 1000, 200)));
    expected->merge(*plan.profile(chunks.back(), true));
  }
  std::vector<std::shared_ptr<Profile>> parts(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { parts[i] = plan.profile(chunks[i], true); });
  }
  for (std::thread& thread : threads) thread.join();
  const auto found = plan.profile(chunk_of(""), true);
  for (const auto& part : parts) found->merge(*part);
  EXPECT_EQ(found->json(), expected->json());
}

TEST(SharedPlan, GivesABatchThatSeveralThreadsMayRead) {
  const Plan plan(kDocument);
  const std::shared_ptr<const Batch> batch = plan.process(chunk_of(lines(0, 400)));
  std::vector<std::string> found(kThreads);
  std::vector<std::thread> threads;
  for (std::string& one : found) {
    threads.emplace_back([&] { one = batch->bodies(std::nullopt); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : found) EXPECT_EQ(one, found[0]);
}

}  // namespace
}  // namespace fieldpost
