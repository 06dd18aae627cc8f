#include "event/walker.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <random>

namespace fieldpost {
namespace {

class WalkerTest : public testing::Test {
 protected:
  // The token at a path of one line, or its fault's code.
  std::string find(std::string_view line, const Path& path) {
    Selection selection;
    const auto slot = selection.slot(path);
    Slots slots(selection);
    const LineFault fault = walker_.walk(line, selection, slots);
    std::string scratch;
    return fault ? fault.code : std::string(slots.value(slot, scratch).token());
  }
  std::string code(std::string_view line) {
    Selection selection;
    Slots slots(selection);
    const LineFault fault = walker_.walk(line, selection, slots);
    return fault ? fault.code : "";
  }
  Walker walker_;
};

TEST_F(WalkerTest, KeepsRawTokens) {
  EXPECT_EQ(find(R"({"a" : {"b" : 1.50 } })", {"a", "b"}), "1.50");
  EXPECT_EQ(find(R"({"a":[1, {"x":2}] ,"b":3})", {"a"}), R"([1, {"x":2}])");
  EXPECT_EQ(find(R"( {"a":1} )", {}), R"({"a":1})");
  EXPECT_EQ(find(R"({"a":1})", {"b"}), "");
}

TEST_F(WalkerTest, TheLastOfEqualKeysCounts) {
  EXPECT_EQ(find(R"({"a":{"b":1},"a":{}})", {"a", "b"}), "");
  EXPECT_EQ(find(R"({"a":1,"a":{"b":2}})", {"a", "b"}), "2");
}

TEST_F(WalkerTest, TellsWhatIsNoEvent) {
  for (const char* line : {"[1]", "1", "\"x\"", "null", "true"})
    EXPECT_EQ(code(line), "E402") << line;
  for (const char* line : {"",
                           "{",
                           "}",
                           "{\"a\":1",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\":01}",
                           "{\"a\":tru}",
                           "{\"a\":1}x",
                           "{\"a\":1}{}",
                           "{\"a\":\"\\x\"}",
                           "{\"a\":\"\t\"}",
                           "{\"a\":\"\xff\"}",
                           "\xEF\xBB\xBF{}",
                           "{\"a\":[1,]}",
                           "{\"a\":[1 2]}",
                           "{\"a\" \"b\"}",
                           "{\"a\":\"b\"\"c\"}",
                           "{\"a\":1\"c\"}",
                           "{,}",
                           "[}"}) {
    EXPECT_EQ(code(line), "E401") << line;
  }
}

TEST_F(WalkerTest, AcceptsLoneSurrogatesAndHugeNumbers) {
  EXPECT_EQ(code(R"({"a":"\ud800","b":1e999,"c":123456789012345678901234567890})"), "");
}

TEST_F(WalkerTest, StopsAtTooDeepNesting) {
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(code(nested(1000)), "");
  EXPECT_EQ(code(nested(100'000)), "E405");
}

// What simdjson's own parser accepts, we accept; what it refuses, we refuse.
TEST_F(WalkerTest, AgreesWithSimdjsonOnDamagedLines) {
  const std::string good =
      R"({"type":"track","n":-1.5e3,"o":{"k":[true,false,null,"a\"b\u00e9"],"e":{}},"l":[[],[1]]})";
  std::mt19937 chance(42);
  simdjson::dom::parser parser;
  const std::string_view marks = "{}[]:,\"\\ 0.e-tn\x01\xc3";
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string line = good;
    for (unsigned edits = 1 + chance() % 2; edits > 0; --edits) {
      const std::size_t at = chance() % line.size();
      if (chance() % 3 == 0) {
        line.erase(at, 1);
      } else {
        line[at] = marks[chance() % marks.size()];
      }
    }
    simdjson::dom::element element;
    const bool theirs = parser.parse(line).get(element) == simdjson::SUCCESS && element.is_object();
    EXPECT_EQ(code(line).empty(), theirs) << line;
    accepted += theirs;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace fieldpost
