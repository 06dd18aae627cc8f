// Many lines at a time give what each line gives alone.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "event/walker.h"

namespace fieldpost {
namespace {

struct Seen {
  std::uint64_t line;
  std::uint64_t offset;
  std::string found;  // what stands at $.a['k\n'], or the fault's code and offset

  bool operator==(const Seen&) const = default;
};

void PrintTo(const Seen& seen, std::ostream* out) {
  *out << seen.line << " at " << seen.offset << ": " << seen.found;
}

class LinesTest : public testing::Test {
 protected:
  LinesTest() : slot_(selection_.slot({"a", "k\n"})), slots_(selection_) {}

  std::string found(const LineFault& fault) {
    if (fault) return std::string(fault.code) + " " + std::to_string(fault.offset);
    std::string scratch;
    return std::string(slots_.value(slot_, scratch).token());
  }

  std::vector<Seen> together(std::string_view text) {
    std::vector<Seen> seen;
    walker_.open(text, {1, 0});
    for (Line line; walker_.next(selection_, slots_, line);) {
      seen.push_back({line.position.line, line.position.offset, found(line.fault)});
    }
    return seen;
  }

  std::vector<Seen> one_by_one(std::string_view text) {
    std::vector<Seen> seen;
    std::uint64_t number = 1;
    for (std::size_t at = 0; at < text.size(); ++number) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line(text.substr(at, end - at));  // of its own, so that a sanitizer looks
      if (line.find_first_not_of(" \t\r") != std::string::npos) {
        const LineFault fault = walker_.walk(line, selection_, slots_);
        seen.push_back({number, at, found(fault)});
      }
      at = end + 1;
    }
    return seen;
  }

  Selection selection_;
  std::uint32_t slot_;
  Slots slots_;
  Walker walker_;
};

TEST_F(LinesTest, BlankLinesAndLineEndsCountOnly) {
  const std::vector<Seen> expected = {{2, 1, "1"}, {5, 23, "2"}};
  EXPECT_EQ(together("\n{\"a\":{\"k\\n\":1}}\r\n \t\r\n\n{\"a\":{\"k\\n\":2}}"), expected);
  EXPECT_EQ(walker_.position().line, 6U);
  EXPECT_TRUE(together("").empty());
  EXPECT_TRUE(together("\n\r\n  ").empty());
  EXPECT_EQ(walker_.position().line, 4U);
}

TEST_F(LinesTest, AnEventSpreadOverLinesIsNoEvent) {
  for (const char* text : {"{\n}", "{\"a\":1\n}", "{\"a\":{\n}}", "{\"a\":{}\n}", "{\"a\":\n1}",
                           "{\"a\":1\n,\"b\":{\"c\":1}}", "{\"a\":[\n{\"b\":1}]}", "{\"a\n\":1}"}) {
    for (const Seen& seen : together(text)) EXPECT_EQ(seen.found.substr(0, 4), "E401") << text;
    EXPECT_EQ(together(text), one_by_one(text)) << text;
  }
}

TEST_F(LinesTest, ABrokenLineCostsItselfOnly) {
  const std::string good = "{\"a\":{\"k\\u000a\":\"x\"}}\n";
  for (const char* bad :
       {"{\"a\":1", "{\"a\":\"", "{\"a\":[", "}", "]]", "\"", "\\", "{\"a\":\"\\x\"}",
        "{\"\\x\":1}", "{\"a\":\"\xff\"}", "{\"a\":\"\xc3", "{\"a\":1}{", "\\\"", "{\"a\":1},", ",",
        "\"b\":1}", "{\"a\":\"\\", "\xEF\xBB\xBF{}"}) {
    std::string text;
    for (int i = 0; i < 3; ++i) text += good + bad + "\n";
    text += good;
    EXPECT_EQ(together(text), one_by_one(text)) << bad;
    const std::vector<Seen> seen = together(text);
    ASSERT_EQ(seen.size(), 7U) << bad;
    for (std::size_t i = 0; i < seen.size(); i += 2) EXPECT_EQ(seen[i].found, "\"x\"") << bad;
  }
}

TEST_F(LinesTest, LinesOfAnyLengthMeetNoEdge) {
  std::string text;
  for (std::size_t size = 0; size < 300; ++size) {
    text +=
        R"({"p":")" + std::string(size, 'p') + R"(","a":{"k\n":)" + std::to_string(size) + "}}\n";
  }
  text += R"({"p":")" + std::string(300'000, 'p') + R"(","a":{"k\n":300}})";
  const std::vector<Seen> seen = together(text);
  ASSERT_EQ(seen.size(), 301U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].found, std::to_string(i));
  EXPECT_EQ(seen, one_by_one(text));
}

TEST_F(LinesTest, RunningOnIntoManyLinesEnds) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"a\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,[\n";
  EXPECT_EQ(together(text).size(), 20'000U);
}

// Lines are damaged and joined at random; together they give what each gives alone.
TEST_F(LinesTest, AgreeWithLinesAlone) {
  const std::vector<std::string> goods = {
      R"({"type":"track","n":-1.5e3,"a":{"k\n":[true,false,null,"a\"b\u00e9"],"e":{}},"l":[[],[1]]})",
      R"({"a":{"k\n":{"deep":[{"er":"\\"}]}},"z":"Zoë"})", R"({})", " \r", ""};
  const std::string_view marks = "{}[]:,\"\\ 0.e-tn\n\n\n\r\x01\xc3";
  std::mt19937 chance(7);
  std::size_t sound = 0;
  for (int round = 0; round < 4'000; ++round) {
    std::string text;
    for (unsigned lines = 1 + chance() % 8; lines > 0; --lines) {
      text += goods[chance() % goods.size()] + "\n";
    }
    for (unsigned edits = chance() % 4; edits > 0; --edits) {
      text[chance() % text.size()] = marks[chance() % marks.size()];
    }
    if (chance() % 2 == 0) text.pop_back();
    const std::string exact(text.data(), text.size());
    const std::vector<Seen> seen = together(exact);
    EXPECT_EQ(seen, one_by_one(text)) << text;
    for (const Seen& one : seen) sound += one.found.substr(0, 1) != "E";
  }
  EXPECT_GT(sound, 5'000U);
}

}  // namespace
}  // namespace fieldpost
