#include "fieldpost/plan.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "fieldpost/error.h"
#include "plan/chunk_of.h"

namespace fieldpost {
namespace {

const Json kTwo = Json::parse(R"({"subscriptions": [
  {"filter": "type = 'track'", "body": {"id": {"@path": "$.id"}}},
  {"filter": "all", "body": {"@path": "$.body"}, "url": {"@template": "https://x/{{id}}"}}]})");

TEST(Plan, CountsEventsThatOnlyTheirPlaceTellsApart) {
  const Plan plan(kTwo);
  const auto batch = plan.process(
      chunk_of("{\"type\":\"track\"}\n{broken\n{\"messageId\":\"a\"}\n{\"type\":\"page\"}"));
  EXPECT_EQ(batch->received, 4U);
  EXPECT_EQ(batch->by_place, 2U);
}

TEST(Plan, CountsEveryEventOnceForEachSubscription) {
  const Plan plan(kTwo);
  const auto batch =
      plan.process(chunk_of("{\"type\":\"track\",\"id\":1,\"messageId\":\"a\",\"body\":{}}\n\n{"
                            "broken\n{\"type\":\"page\",\"messageId\":\"b\"}"));
  EXPECT_EQ(batch->received, 3U);
  ASSERT_EQ(batch->records.size(), 2U);
  EXPECT_EQ(batch->text(batch->records[0].body), R"({"id":1})");
  EXPECT_EQ(batch->text(batch->records[1].url), "https://x/1");
  EXPECT_EQ(batch->text(batch->records[1].event_id), "a");
  ASSERT_EQ(batch->ended.size(), 3U);  // the broken line twice, and a body that is undefined
  EXPECT_EQ(batch->ended[0].code, "E401");
  EXPECT_EQ(batch->ended[0].position.line, 3U);
  EXPECT_EQ(batch->ended[2].code, "E403");
  EXPECT_EQ(batch->ended[2].position.line, 4U);
  ASSERT_EQ(batch->filtered[0].hashes.size(), 1U);
  EXPECT_EQ(batch->filtered[0].hashes[0], hash64("b"));
}

std::vector<std::string> order_keys(const Plan& plan, std::string_view lines) {
  const auto batch = plan.process(chunk_of(lines));
  std::vector<std::string> keys;
  for (const Record& record : batch->records) keys.emplace_back(batch->text(record.order_key));
  return keys;
}

TEST(Plan, OrdersByWhatTheDocumentSaysAndASubscriptionBySomethingElseOrNothing) {
  const Plan plan(Json::parse(R"({"order_by": {"@path": "$.userId"}, "subscriptions": [
    {"body": {}}, {"body": {}, "order_by": {"@template": "{{g}}-{{userId}}"}},
    {"body": {}, "order_by": null}]})"));
  EXPECT_EQ(order_keys(plan, R"({"messageId": "a", "userId": "u1", "g": 7})"),
            (std::vector<std::string>{"u1", "7-u1", ""}));
}

TEST(Plan, AnOrderKeyIsATextOrItsJsonAndNullIsNone) {
  const Plan plan(
      Json::parse(R"({"order_by": {"@path": "$.k"}, "subscriptions": [{"body": {}}]})"));
  EXPECT_EQ(order_keys(plan,
                       "{\"messageId\":\"1\",\"k\":\"\\u0061\"}\n{\"messageId\":\"2\",\"k\":12}\n"
                       "{\"messageId\":\"3\",\"k\":null}\n{\"messageId\":\"4\"}\n"
                       "{\"messageId\":\"5\",\"k\":[1,\"a\"]}\n"),
            (std::vector<std::string>{"a", "12", "", "", "[1,\"a\"]"}));
}

TEST(Plan, TellsAMistakeInAnOrderOnce) {
  try {
    const Plan plan(Json::parse(R"({"order_by": {"@pth": "$.k"}, "subscriptions": [
      {"body": {}}, {"body": {}}]})"));
    FAIL() << "no mistake";
  } catch (const DocumentError& error) {
    ASSERT_EQ(error.mistakes().size(), 1U);
    EXPECT_EQ(error.mistakes()[0].path, "$.order_by");
  }
}

TEST(Plan, GivesBodiesAsLinesAndCountsThem) {
  const Plan plan(kTwo);
  Chunk chunk = chunk_of(
      "{\"type\":\"track\",\"id\":1,\"messageId\":\"a\",\"body\":[]}\n"
      "null\n{\"type\":\"page\",\"messageId\":\"b\",\"body\":2}\n");
  chunk.note(2, "why");
  const auto batch = plan.process(chunk);
  batch->explain(chunk.notes());
  EXPECT_EQ(batch->bodies(std::nullopt), "{\"id\":1}\n[]\n2\n");
  EXPECT_EQ(batch->bodies(0), "{\"id\":1}\n");
  EXPECT_EQ(batch->bodies(1), "[]\n2\n");
  const auto tallies = batch->tallies();
  ASSERT_EQ(tallies.size(), 2U);
  EXPECT_EQ(tallies[0].records, 1U);
  EXPECT_EQ(tallies[0].filtered, 1U);
  EXPECT_EQ(tallies[1].invalid, 1U);
  EXPECT_EQ(batch->ended[0].code, "E409");
  EXPECT_EQ(batch->ended[0].message, "why");
}

TEST(Plan, PositionsAreRight) {
  const Plan plan(kTwo);
  const auto batch = plan.process(chunk_of("\n  \n{\"type\":\"track\"}\r\n{\"type\":\"track\"}\n"));
  ASSERT_EQ(batch->records.size(), 2U);
  EXPECT_EQ(batch->records[0].position.line, 3U);
  EXPECT_EQ(batch->records[0].position.offset, 4U);
  EXPECT_EQ(batch->records[1].position.offset, 22U);
}

TEST(Plan, AnEventWithoutAnIdIsItsLineOrInvalid) {
  const Plan plan(kTwo);
  const std::string text = "{\"type\":\"track\",\"id\":1}\n{\"type\":\"track\",\"id\":1}\n";
  const auto placed = plan.process(chunk_of(text, true));
  EXPECT_NE(placed->text(placed->records[0].event_id), placed->text(placed->records[1].event_id));
  const auto nameless = plan.process(chunk_of(text, false));
  EXPECT_TRUE(nameless->records.empty());
  EXPECT_EQ(nameless->ended[0].code, "E404");
}

TEST(Plan, ContentOrADirectiveTellsEventsApart) {
  Json document = kTwo;
  const std::string text = "{\"type\":\"track\",\"id\":12345678901234567890}\n";
  document["event_id"] = "content";
  const auto content = Plan(document).process(chunk_of(text, false));
  EXPECT_TRUE(content->text(content->records[0].event_id).starts_with("content:"));
  document["event_id"] = {{"@path", "$.id"}};
  const auto given = Plan(document).process(chunk_of(text, false));
  EXPECT_EQ(given->text(given->records[0].event_id), "12345678901234567890");
}

TEST(Plan, FunctionsStandBetweenSelectAndRender) {
  const Plan plan(kTwo);
  const auto chosen =
      plan.select(chunk_of("{\"type\":\"track\",\"messageId\":\"a\"}\n{\"type\":\"x\","
                           "\"messageId\":\"b\"}\n{\"type\":\"y\",\"messageId\":\"c\"}\n"));
  ASSERT_EQ(chosen->events.size(), 3U);
  EXPECT_EQ(chosen->events[0].subscriptions.size(), 2U);
  const auto batch = plan.render(
      *chosen, {{Changed::Kind::event, R"({"id":9,"body":{"z":1},"messageId":"other"})", "", ""},
                {Changed::Kind::dropped, "", "E413", "dropped"},
                {Changed::Kind::event, "[1]", "", ""}});
  EXPECT_EQ(batch->received, 3U);
  ASSERT_EQ(batch->records.size(), 2U);
  EXPECT_EQ(batch->text(batch->records[1].body), R"({"z":1})");
  EXPECT_EQ(batch->text(batch->records[1].event_id), "a");
  ASSERT_EQ(batch->ended.size(), 2U);
  EXPECT_FALSE(batch->ended[0].invalid);
  EXPECT_EQ(batch->ended[1].code, "E412");
}

TEST(Plan, ARecalledEventKeepsItsIdentityAndIsNotFilteredAgain) {
  const Plan plan(kTwo);
  const std::vector<Recalled> events = {
      {{7, 70}, "line:a:7:x", R"({"type":"page","id":1})", {0}},
      {{8, 80}, "b", R"({"id":2,"body":[2]})", {0, 1}},
  };
  const auto chosen = plan.recall("a", events);
  std::vector<Changed> changed(2);
  changed[0].text = events[0].text;
  changed[1].text = events[1].text;
  const auto batch = plan.render(*chosen, changed);
  EXPECT_EQ(batch->source, "a");
  ASSERT_EQ(batch->records.size(), 3U);
  EXPECT_EQ(batch->text(batch->records[0].event_id), "line:a:7:x");
  EXPECT_EQ(batch->text(batch->records[0].body), R"({"id":1})");
  EXPECT_EQ(batch->records[0].position.line, 7U);
  EXPECT_EQ(batch->text(batch->records[2].body), "[2]");
  EXPECT_TRUE(batch->filtered[0].hashes.empty());
  EXPECT_THROW(plan.recall("a", {{{1, 0}, "x", "{}", {2}}}), std::out_of_range);
}

TEST(Plan, TransformsStandBetweenFilterAndMapping) {
  Json document = kTwo;
  document["subscriptions"][0]["transforms"] =
      Json::parse(R"([{"map_properties": {"type": {"set": "x"}, "id": {"copy": "other"}}}])");
  document["subscriptions"][1]["transforms"] = Json::parse(R"(["drop"])");
  const Plan plan(document);
  const auto batch = plan.process(chunk_of(
      "{\"type\":\"track\",\"id\":1,\"other\":2,\"messageId\":\"a\"}\n{\"type\":\"page\"}\n"));
  ASSERT_EQ(batch->records.size(), 1U);
  EXPECT_EQ(batch->text(batch->records[0].body), R"({"id":2})");
  EXPECT_EQ(batch->text(batch->records[0].event_id), "a");
  EXPECT_EQ(batch->filtered[0].hashes.size(), 1U);
  ASSERT_EQ(batch->ended.size(), 2U);
  EXPECT_FALSE(batch->ended[0].invalid);
  EXPECT_EQ(batch->ended[0].code, "E244");
}

TEST(Plan, AFunctionGetsTheEventAfterTheTransforms) {
  Json document = kTwo;
  document["subscriptions"][1]["transforms"] =
      Json::parse(R"([{"drop_properties": {"": ["secret"]}}])");
  document["subscriptions"].push_back({{"transforms", {"drop"}}});
  document["subscriptions"].push_back(document["subscriptions"][1]);
  const Plan plan(document);
  const auto chosen = plan.select(
      chunk_of("{\"type\":\"track\",\"messageId\":\"a\",\"secret\":1}\n{\"messageId\":\"b\"}\n"));
  ASSERT_EQ(chosen->events.size(), 3U);
  EXPECT_EQ(chosen->events[0].subscriptions, std::vector<std::uint32_t>{0});
  EXPECT_EQ(chosen->batch.text(chosen->events[1].text), R"({"type":"track","messageId":"a"})");
  EXPECT_EQ(chosen->events[1].subscriptions, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(chosen->batch.ended.size(), 2U);
  const Changed same{Changed::Kind::event, R"({"id":1,"body":{},"secret":2})", "", ""};
  const auto batch = plan.render(*chosen, {same, same, same});
  ASSERT_EQ(batch->records.size(), 5U);
  EXPECT_EQ(batch->text(batch->records[0].event_id), "a");
}

TEST(Plan, AnEventMayExcludeTheDestination) {
  Json document = kTwo;
  document["integrations"] = "Hook";
  const Plan plan(document);
  const auto is_sent = [&](const std::string& integrations) {
    const auto batch = plan.process_event(
        R"({"type":"track","messageId":"a","id":1,"body":{},"integrations":)" + integrations + "}");
    EXPECT_EQ(batch->records.size() + batch->ended.size(), 2U) << integrations;
    if (!batch->ended.empty()) {
      EXPECT_EQ(batch->ended[0].code, "E247");
      EXPECT_FALSE(batch->ended[0].invalid);
    }
    return batch->ended.empty();
  };
  for (const char* sent :
       {"{}", "null", "true", "false", "[]", R"({"All":true})", R"({"All":false,"Hook":true})",
        R"({"All":false,"Hook":{}})", R"({"All":null})", R"({"hook":false})", R"({"Hook":null})",
        R"({"All":false,"Hook":"x"})", R"({"Other":false})"}) {
    EXPECT_TRUE(is_sent(sent)) << sent;
  }
  for (const char* kept : {R"({"Hook":false})", R"({"All":false})", R"({"All":true,"Hook":false})",
                           R"({"All":false,"Hook":null})", R"({"All":false,"hook":true})"}) {
    EXPECT_FALSE(is_sent(kept)) << kept;
  }
}

TEST(Plan, TellsTheMistakesOfAllSubscriptions) {
  Json document = kTwo;
  document["subscriptions"][0]["filter"] = "type = ";
  document["subscriptions"][1]["body"] = {{"x", {{"@pth", "$.a"}}}};
  try {
    Plan plan(document);
    FAIL();
  } catch (const DocumentError& error) {
    ASSERT_EQ(error.mistakes().size(), 2U);
    EXPECT_EQ(error.mistakes()[0].path, "$.subscriptions[0].filter");
    EXPECT_EQ(error.mistakes()[1].path, "$.subscriptions[1].body.x");
  }
}

}  // namespace
}  // namespace fieldpost
