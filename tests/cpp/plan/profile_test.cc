#include "fieldpost/profile.h"

#include <gtest/gtest.h>

#include <string>

#include "fieldpost/plan.h"
#include "plan/chunk_of.h"
#include "plan/names.h"
#include "plan/value_counts.h"

namespace fieldpost {
namespace {

Json profile_of(const Plan& plan, std::string_view lines) {
  return Json::parse(plan.profile(chunk_of(lines), true)->json());
}

// {"present kind": count, …} of the row with that path, without zeros.
Json counts_of(const Json& profile, const std::string& path, const char* which = "counts") {
  for (const Json& row : profile.at("paths")) {
    if (row.at("path") != path) continue;
    Json counts = Json::object();
    for (const auto& [kind, count] : row.at(which).items()) {
      if (count != 0) counts[kind] = count;
    }
    return counts;
  }
  return nullptr;
}

const Json kOrders = Json::parse(R"({"subscriptions": [{
  "filter": "type = 'track' and properties.total > 9",
  "body": {"email": {"@path": "$.properties.email"},
           "skus": {"@arrayPath": ["$.properties.items", {"sku": {"@path": "$.sku"}}]}}}]})");

constexpr std::string_view kTwoOrders =
    R"({"type":"track","properties":{"total":10,"email":null,"items":[{"sku":1},{"sku":"a"},{}]}})"
    "\n"
    R"({"type":"track","properties":{"total":11,"items":{"sku":"b"}}})"
    "\n"
    R"({"type":"page"})"
    "\n{broken\n";

TEST(Profile, CountsPathsOfFiltersOverAllEventsAndThoseOfMappingsOverTheirOwn) {
  const Json profile = profile_of(Plan(kOrders), kTwoOrders);
  EXPECT_EQ(profile.at("received"), 4);
  EXPECT_EQ(profile.at("events"), 3);
  EXPECT_EQ(profile.at("by_place"), 3);
  EXPECT_EQ(profile.at("subscriptions")[0].at("taken"), 2);
  EXPECT_EQ(counts_of(profile, "type"), Json::parse(R"({"string": 3})"));
  EXPECT_EQ(counts_of(profile, "properties.total"),
            Json::parse(R"({"undefined": 1, "number": 2})"));
  EXPECT_EQ(counts_of(profile, "$.properties.email"),
            Json::parse(R"({"undefined": 1, "null": 1})"));
}

TEST(Profile, CountsPathsOfAListForEachItem) {
  const Json profile = profile_of(Plan(kOrders), kTwoOrders);
  EXPECT_EQ(counts_of(profile, "$.properties.items"), Json::parse(R"({"array": 1, "object": 1})"));
  EXPECT_EQ(counts_of(profile, "$.sku"),
            Json::parse(R"({"undefined": 1, "number": 1, "string": 2})"));
}

TEST(Profile, CountsPathsOfComputedValues) {
  const Plan plan(Json::parse(R"({"subscriptions": [{"body": {"@transform": {
    "apply": {"all": {"@path": "$.list"}},
    "mapping": {"ids": {"@arrayPath": ["$.all", {"id": {"@path": "$.id"}}]},
                "none": {"@path": "$.list"}}}}}]})"));
  const Json profile = profile_of(plan, R"({"list":[{"id":1},{"id":null},{}]})");
  EXPECT_EQ(counts_of(profile, "$.all"), Json::parse(R"({"array": 1})"));
  EXPECT_EQ(counts_of(profile, "$.id"), Json::parse(R"({"undefined": 1, "null": 1, "number": 1})"));
}

TEST(Profile, SeesWhatTransformsLeave) {
  const Plan plan(Json::parse(R"({"subscriptions": [{
    "transforms": [{"type": "drop_properties", "config": {"drop": {"properties": ["secret"]}}}],
    "body": {"a": {"@path": "$.properties.secret"}}}]})"));
  const Json profile = profile_of(plan, R"({"properties":{"secret":1,"other":2}})");
  EXPECT_EQ(counts_of(profile, "$.properties.secret"), Json::parse(R"({"undefined": 1})"));
}

TEST(Profile, CountsComparedValuesAndWhatThereIsInstead) {
  const Plan plan(Json::parse(R"({"subscriptions": [{"filter":
    "event in ['A', 'B'] and !(properties.n = 5) and lowercase(event) != 'c'"}]})"));
  const Json profile = profile_of(
      plan, "{\"event\":\"A\",\"properties\":{\"n\":5.0}}\n{\"event\":\"C\"}\n{\"event\":\"C\"}");
  const Json& values = profile.at("values");
  ASSERT_EQ(values.size(), 4U);
  EXPECT_EQ(values[0].at("literal"), "A");
  EXPECT_EQ(values[0].at("count"), 1);
  EXPECT_EQ(values[1].at("count"), 0);
  EXPECT_EQ(values[2].at("count"), 1);  // 5.0 is 5
  EXPECT_EQ(values[2].at("negated"), true);
  EXPECT_EQ(values[3].at("count"), 2);
  const Json& events = profile.at("terms").at(values[0].at("term").get<std::size_t>());
  EXPECT_EQ(events.at("values"), Json::parse(R"([["string","C",2],["string","A",1]])"));
}

TEST(Profile, LooksForPathsElsewhereWhereTheFilterTakesNone) {
  const Plan plan(Json::parse(R"({"subscriptions": [{"filter": "event = 'A'",
    "body": {"a": {"@path": "$.propertys.email"}, "b": {"@path": "$.properties.email"}}}]})"));
  const std::string other = R"({"event":"B","properties":{"email":"x"}})";
  Json profile = profile_of(plan, other);
  EXPECT_EQ(counts_of(profile, "$.propertys.email", "otherwise"),
            Json::parse(R"({"undefined":1})"));
  EXPECT_EQ(counts_of(profile, "$.properties.email", "otherwise"), Json::parse(R"({"string":1})"));
  EXPECT_TRUE(profile.at("names")[2].at("in").contains("properties"));
  profile = profile_of(plan, other + "\n{\"event\":\"A\"}");
  EXPECT_TRUE(profile.at("paths").back().at("otherwise").is_null());
}

TEST(Profile, MergedPartsAreTheWhole) {
  const Plan plan(kOrders);
  const auto first = plan.profile(chunk_of(kTwoOrders), true);
  const auto second =
      plan.profile(chunk_of("{\"type\":\"page\",\"properties\":{\"email\":1}}"), true);
  first->merge(*second);
  const std::string lines =
      std::string(kTwoOrders) + "{\"type\":\"page\",\"properties\":{\"email\":1}}";
  EXPECT_EQ(first->json(), plan.profile(chunk_of(lines), true)->json());
}

TEST(Profile, SeesWhatFunctionsMakeOfEvents) {
  const Plan plan(kOrders);
  const Chunk chunk = chunk_of(kTwoOrders);
  const auto profile = plan.profile(chunk, false);
  const auto chosen = plan.select(chunk);
  Changed changed;
  changed.text = R"({"properties":{"email":"made"}})";
  Changed dropped;
  dropped.kind = Changed::Kind::dropped;
  plan.profile_changed(*chosen, {changed, dropped}, *profile);
  const Json told = Json::parse(profile->json());
  EXPECT_EQ(counts_of(told, "$.properties.email"), Json::parse(R"({"string": 1})"));
  EXPECT_EQ(told.at("subscriptions")[0].at("mapped"), 1);
}

TEST(Profile, HoldsNoMoreHoweverManyNamesAndValuesThereAre) {
  const Plan plan(Json::parse(R"({"subscriptions": [{"filter": "event = 'none'",
    "body": {"a": {"@path": "$.missing"}}}]})"));
  const auto whole = plan.profile(chunk_of(""), true);
  std::size_t settled = 0;
  for (int part = 0; part < 60; ++part) {
    std::string lines;
    for (int i = 0; i < 200; ++i) {
      const std::string number = std::to_string(1000000 + part * 200 + i);
      lines += "{\"event\":\"e" + number + "\",\"k" + number + "\":{\"a" + number + "\":1}}\n";
    }
    whole->merge(*plan.profile(chunk_of(lines), true));
    if (part == 49) settled = whole->json().size();
  }
  const Json told = Json::parse(whole->json());
  EXPECT_EQ(told.at("events"), 12000);
  EXPECT_EQ(told.at("terms")[0].at("values").size(), ValueCounts::kMost);
  EXPECT_EQ(told.at("terms")[0].at("others"), 11000);
  EXPECT_LE(told.at("names")[2].at("in").size(), Names::kMostMembers);
  EXPECT_LT(whole->json().size(), settled + 100);
}

TEST(Names, AreBoundedInNumberLengthAndDepth) {
  Names names;
  for (int i = 0; i < 20; ++i) {
    std::string event = "{\"" + std::string(Names::kLongest + 1, 'x') + "\":1";
    for (int k = 0; k < 400; ++k) {
      event += ",\"g" + std::to_string(k) + "\":{\"" + std::to_string(i) + "\":1}";
    }
    names.add(Value(event + "}"));
  }
  EXPECT_EQ(names.size(), Names::kMost);
  std::string deep(Names::kDeepest + 5, '[');
  deep += std::string(Names::kDeepest + 5, ']');
  Names deeper;
  deeper.add(Value(deep));
  std::string json;
  deeper.append_json(json);
  std::size_t levels = 0;
  for (std::size_t at = 0; (at = json.find("items", at)) != std::string::npos; ++at) ++levels;
  EXPECT_EQ(levels, Names::kDeepest);
}

TEST(ValueCounts, CountWhatWasAskedForBeyondTheirBounds) {
  const std::string text(ValueCounts::kLongest + 1, 'x');
  ValueCounts counts;
  counts.ask(Value::Kind::string, text);
  for (std::size_t i = 0; i < 2 * ValueCounts::kMost; ++i) {
    counts.add(Value::Kind::string, std::to_string(i));
  }
  EXPECT_EQ(counts.rows().size(), ValueCounts::kMost);
  counts.add(Value::Kind::string, text);
  EXPECT_EQ(counts.count(Value::Kind::string, text), 1U);
  EXPECT_EQ(counts.count(Value::Kind::string, "none"), 0U);
}

TEST(ValueCounts, LeavesLongTextsUncounted) {
  ValueCounts counts;
  counts.add(Value::Kind::string, std::string(ValueCounts::kLongest + 1, 'x'));
  counts.add(Value::Kind::string, "1");
  counts.add(Value::Kind::number, "1");
  EXPECT_EQ(counts.rows().size(), 2U);
  EXPECT_EQ(counts.others(), 1U);
}

}  // namespace
}  // namespace fieldpost
