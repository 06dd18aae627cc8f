#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/filter.h"
#include "fieldpost/json.h"

namespace fieldpost {
namespace {

using Verdict = Answer::Verdict;

Mistake mistake(const std::string& text, Dialect dialect = Dialect::fieldpost) {
  try {
    const EventFilter filter(text, dialect);
  } catch (const DocumentError& error) {
    return error.mistakes().at(0);
  }
  ADD_FAILURE() << "compiled: " << text;
  return {};
}

TEST(EventFilter, AnswersWithYesNoOrWhyItIsNoEvent) {
  const EventFilter filter("type = \"track\"");
  EXPECT_EQ(filter.matches(R"({"type": "track"})").verdict, Verdict::yes);
  EXPECT_EQ(filter.matches(R"({"type": "page"})").verdict, Verdict::no);
  const Answer answer = filter.matches(R"({"type": "track")");
  EXPECT_EQ(answer.verdict, Verdict::invalid);
  EXPECT_STREQ(answer.code, "E401");
  EXPECT_STREQ(filter.matches("[]").code, "E402");
  EXPECT_STREQ(filter.matches("").code, "E401");
}

TEST(EventFilter, ComparesTextsHoweverTheirJsonIsWritten) {
  const auto says = [](const char* query, const char* event) {
    return EventFilter(query).matches(event).verdict == Verdict::yes;
  };
  for (const char* event : {R"({"a":"é b"})", R"({"a":"\u00e9 b"})", R"({"a":"\u00E9\u0020b"})"}) {
    EXPECT_TRUE(says("a = \"é b\"", event)) << event;
    EXPECT_FALSE(says("a != \"é b\"", event)) << event;
    EXPECT_FALSE(says("a = \"é c\"", event)) << event;
  }
  EXPECT_TRUE(says(R"(a = "x\\y")", R"({"a":"x\\y"})"));
  EXPECT_FALSE(says(R"(a = "x\\ny")", R"({"a":"x\ny"})"));  // its bytes, but a line break
  EXPECT_TRUE(says("a = \"\"", R"({"a":""})"));
  for (const char* event :
       {R"({})", R"({"a":null})", R"({"a":1})", R"({"a":["x"]})", R"({"a":{}})"}) {
    EXPECT_FALSE(says("a = \"x\"", event)) << event;
    EXPECT_TRUE(says("a != \"x\"", event)) << event;
  }
}

TEST(EventFilter, GivesOneByteForEachLine) {
  const EventFilter filter("a = 1");
  const auto verdicts = [&](std::string_view lines) {
    std::string digits = filter.matches_lines(lines);
    for (char& c : digits) c = static_cast<char>(c + '0');
    return digits;
  };
  EXPECT_EQ(verdicts(""), "");
  EXPECT_EQ(verdicts("{\"a\":1}"), "1");
  EXPECT_EQ(verdicts("{\"a\":1}\n{\"a\":2}\r\n\n  \t\n{\"a\":1\n[]\n{}\n"), "1000220");
  EXPECT_EQ(verdicts("\n{\"a\":1}"), "01");
}

TEST(EventFilter, IsSharedByThreads) {
  const EventFilter filter("lowercase(a) = \"x\\\"y\" and length(b) > 2");
  std::string lines;
  for (int i = 0; i < 500; ++i) lines += "{\"a\":\"X\\\"Y\",\"b\":[1,2,3]}\n{\"b\":\"ab\"}\n";
  std::vector<std::thread> threads;
  std::vector<std::string> verdicts(4);
  for (std::string& one : verdicts) {
    threads.emplace_back([&] { one = filter.matches_lines(lines); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : verdicts) {
    EXPECT_EQ(one, verdicts[0]);
    EXPECT_EQ(one.substr(0, 2), std::string({1, 0}));
    EXPECT_EQ(one.size(), 1000U);
  }
}

TEST(EventFilter, ExplainsEveryCondition) {
  const EventFilter filter("type = \"é\" and !(a.b > 1 or contains(c, 'x'))");
  const Answer answer = filter.explain(R"({"type":"e","a":{"b": [1, {"x": 2}]}})");
  EXPECT_EQ(answer.verdict, Verdict::no);
  const Json tree = Json::parse(answer.explanation);
  EXPECT_EQ(tree.at("kind"), "and");
  EXPECT_EQ(tree.at("verdict"), false);
  const Json& first = tree.at("children").at(0);
  EXPECT_EQ(first, Json::parse(R"({"kind":"condition","begin":0,"end":10,"verdict":false,
                                   "seen":{"type":"e"},"lacks":[]})"));
  const Json& negation = tree.at("children").at(1);
  EXPECT_EQ(negation.at("kind"), "not");
  EXPECT_EQ(negation.at("verdict"), true);
  const Json& either = negation.at("children").at(0);
  EXPECT_EQ(either.at("children").at(0).at("seen"), Json::parse(R"({"a.b":[1,{"x":2}]})"));
  EXPECT_EQ(either.at("children").at(1).at("seen"), Json::object());
  EXPECT_EQ(filter.explain("x").verdict, Verdict::invalid);
}

TEST(EventFilter, SpansCountCharacters) {
  const Mistake first = mistake("\"é😀\" = type and b = = 2");
  EXPECT_EQ(first.begin, 20U);
  EXPECT_EQ(first.end, 21U);
  const Mistake second = mistake("name = \"é\" and not = 1", Dialect::trigger);
  EXPECT_EQ(second.begin, 15U);
  EXPECT_EQ(second.end, 18U);
}

TEST(EventFilter, ReadsOrRefusesAnythingWithoutHarm) {
  const std::vector<std::string> pieces = {
      "type",     "(",      ")",           "[",       "]",     "\"",   "'",    "\\", "!",
      "=",        "!=",     ">=",          " ",       ",",     ".",    "and",  "or", "in",
      "contains", "match(", "1",           "-",       "1e",    "null", "true", "é",  "\"x*\"",
      "nu",       "$",      "properties.", "typeof(", "\\u12", "\xF0", "\r"};
  std::uint32_t state = 7;
  const auto next = [&](std::size_t below) {
    state = state * 1664525U + 1013904223U;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = 0; i < 1 + next(9); ++i) text += pieces[next(pieces.size())];
    for (const Dialect dialect : {Dialect::fieldpost, Dialect::trigger, Dialect::destination}) {
      try {
        EventFilter(text, dialect).matches(R"({"type":"x","properties":{"a":[1]}})");
      } catch (const DocumentError& error) {
        const Mistake& told = error.mistakes().at(0);
        EXPECT_FALSE(told.message.empty());
        EXPECT_LE(told.begin, told.end) << text;
        EXPECT_LE(told.end, text.size()) << text;
      }
    }
  }
}

TEST(EventFilter, RefusesEndlessNesting) {
  EXPECT_EQ(mistake(std::string(10000, '(') + "a").code, "E301");
  EXPECT_EQ(mistake(std::string(10000, '!') + "a").code, "E301");
  EXPECT_EQ(mistake(std::string(10000, '(') + "type = 1", Dialect::trigger).code, "E301");
  std::string calls;
  for (int i = 0; i < 10000; ++i) calls += "string(";
  EXPECT_EQ(mistake(calls).code, "E301");
}

}  // namespace
}  // namespace fieldpost
