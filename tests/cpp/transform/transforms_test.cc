#include "transform/transforms.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

const std::string kPath = "$.transforms";

// How many of 4000 users, and of 4000 identities, the list lets through.
int let_through(const char* list, bool by_identity) {
  const Transforms transforms(Json::parse(list), kPath);
  int count = 0;
  std::string out;
  for (int i = 0; i < 4000; ++i) {
    const std::string number = std::to_string(i);
    const std::string event = by_identity ? "{}" : "{\"userId\":\"user-" + number + "\"}";
    count += transforms.apply(event, by_identity ? "id-" + number : "id", out) ? 0 : 1;
  }
  return count;
}

TEST(Transforms, ASampleHasTheShareThatWasAskedFor) {
  EXPECT_NEAR(let_through(R"([{"sample_event": {"percent": 0.1, "path": "userId"}}])", false), 400,
              80);
  EXPECT_NEAR(let_through(R"([{"sample_event": {"percent": 0.5}}])", true), 2000, 160);
  // Where the path gives nothing the identity decides.
  EXPECT_NEAR(let_through(R"([{"sample_event": {"percent": 0.5, "path": "userId"}}])", true), 2000,
              160);
}

TEST(Transforms, SamplersOfOneListDrawIndependently) {
  const char* twice = R"([{"sample_event": {"percent": 0.5}}, {"sample_event": {"percent": 0.5}}])";
  EXPECT_NEAR(let_through(twice, true), 1000, 130);
}

TEST(Transforms, ALargerShareHoldsASmallerOne) {
  const Transforms few(Json::parse(R"([{"sample_event": {"percent": 0.2, "path": "u"}}])"), kPath);
  const Transforms many(Json::parse(R"([{"sample_event": {"percent": 0.4, "path": "u"}}])"), kPath);
  std::string out;
  for (int i = 0; i < 500; ++i) {
    const std::string event = "{\"u\":" + std::to_string(i) + "}";
    const bool in_few = !few.apply(event, "", out).has_value();
    const bool in_many = !many.apply(event, "", out).has_value();
    EXPECT_TRUE(in_many || !in_few) << event;
  }
}

TEST(Transforms, AListGrowsOnlySoFar) {
  const Transforms transforms(Json::parse(R"([{"map_properties": {"a.4000000000": {"set": 1}}}])"),
                              kPath);
  std::string out;
  const auto ending = transforms.apply(R"({"a":[]})", "", out);
  ASSERT_TRUE(ending.has_value());
  EXPECT_TRUE(ending->invalid);
  EXPECT_EQ(ending->code, "E246");
}

}  // namespace
}  // namespace fieldpost
