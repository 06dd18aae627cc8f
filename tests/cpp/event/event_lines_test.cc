#include "fieldpost/event_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fieldpost {
namespace {

// The text, handed over in parts of `step` bytes, what is undecided once more.
std::string turned(const std::string& text, std::size_t step, EventLines& lines) {
  std::string given, held;
  for (std::size_t at = 0; at < text.size(); at += step) {
    held += text.substr(at, step);
    const std::size_t decided = lines.turn(held);
    given += held.substr(0, decided);
    held.erase(0, decided);
    EXPECT_LE(held.size(), EventLines::kMostUndecided);
  }
  return given + held;
}

void expect(const std::string& text, const std::string& lines) {
  ASSERT_EQ(text.size(), lines.size()) << text;
  for (std::size_t step = 1; step <= text.size(); ++step) {
    EventLines all;
    EXPECT_EQ(turned(text, step, all), lines) << step;
    EXPECT_FALSE(all.is_open()) << text;
  }
}

void expect_untouched(const std::string& text) { expect(text, text); }

TEST(EventLines, LeavesLinesAsTheyAre) {
  expect_untouched("{\"a\":1}\n\n {\"b\":[1,{}]} \r\n{\"c\":\"}\"}");
  expect_untouched("INFO [\n{\"a\":1}\nx {\n{\"b\":1}\n");
}

TEST(EventLines, JoinsAValueOfSeveralLines) {
  expect("{\n \"a\": [\n  {\"b\":\"}\\\"\"},\n\r\n  2\n ]\n}\n{\"c\":1}\n",
         "{  \"a\": [   {\"b\":\"}\\\"\"},     2  ] }\n{\"c\":1}\n");
  expect("{\"x\":[\n{}\n,{}]\n}", "{\"x\":[ {} ,{}] }");
  expect("{\"a\"\n:1}\n", "{\"a\" :1}\n");
  expect("[\n{},\n{}\n]\n", "[ {}, {} ]\n");
  expect("{\"a\":{\"b\":1}\n,\"c\":{}\n}\n{}", "{\"a\":{\"b\":1} ,\"c\":{} }\n{}");
  expect("{\n}\n{\n\"a\":{\n}\n}\n", "{ }\n{ \"a\":{ } }\n");
}

TEST(EventLines, NeverLetsAPartStandAlone) {
  expect(",\"items\": [\n{\"sku\":1}\n]}\n", ",\"items\": [ {\"sku\":1} ]}\n");
  expect("\"items\": [\n{\"sku\":1},\n]\n", "\"items\": [ {\"sku\":1},\n]\n");
}

TEST(EventLines, ALineThatWasCutCostsItself) {
  const std::string good = "{\"a\":1}\n{\"b\":2}\n";
  for (const char* cut : {"{", "{\"a\":{\"b\":1},", "{\"a\":{", "{\"a\":", "{\"a\":\"text",
                          "{\"a\":tr", "{\"a\":[1", "{\"a\":{\"b\":1}", "[x", "{\"a\":1}, {"}) {
    expect_untouched(cut + ("\n" + good));
  }
  EventLines lines;
  const std::string deep = std::string(2000, '[') + "\n" + good;
  EXPECT_EQ(turned(deep, 100, lines), deep);
}

TEST(EventLines, BlanksMarksAtTheStartOfALine) {
  expect("\xef\xbb\xbf{\"a\":1}\n\xef\xbb\xbf\xef\xbb\xbf{\"b\":2}\r\n\x1e{}\n\xef\xbb\xbf",
         "   {\"a\":1}\n      {\"b\":2}\r\n {}\n   ");
  expect_untouched("\xef\xbb{}\n\xef\n{\"a\":\"\xef\xbb\xbf\"}\n \xef\xbb");
}

TEST(EventLines, TellsWhereAnUnendedValueBegan) {
  EventLines lines;
  turned("{\"a\":1}\n{\n\"b\":[\n{}", 3, lines);
  EXPECT_TRUE(lines.is_open());
  EXPECT_EQ(lines.began(), 8u);
}

TEST(EventLines, DoesNotWaitForeverForWhatFollowsBlanks) {
  EventLines lines;
  std::string text = "{\n" + std::string(EventLines::kMostUndecided, ' ');
  EXPECT_EQ(lines.turn(text), text.size());
  EXPECT_EQ(text.find('\n'), text.npos);
}

}  // namespace
}  // namespace fieldpost
