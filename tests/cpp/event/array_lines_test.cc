#include "fieldpost/array_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace fieldpost {
namespace {

struct Turned {
  std::string text;
  ArrayLines::Fault fault;
  std::uint64_t offset;
};

// The text, handed over in parts of `step` bytes.
Turned turned(std::string text, std::size_t step) {
  ArrayLines array;
  for (std::size_t at = 0; at < text.size(); at += step) {
    array.turn({text.data() + at, std::min(step, text.size() - at)});
  }
  array.finish();
  return {text, array.fault(), array.fault_offset()};
}

TEST(ArrayLines, PutsEachItemOnALineByteForByte) {
  const std::string text = " [{\"a\":1},\n{\"b\":\"],\\\"\"} , [2,\n3]]\n";
  const std::string lines = "  {\"a\":1}\n {\"b\":\"],\\\"\"} \n [2, 3]\n\n";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    const Turned told = turned(text, step);
    EXPECT_EQ(told.text, lines) << step;
    EXPECT_EQ(told.fault, ArrayLines::Fault::none);
  }
}

TEST(ArrayLines, NeverEndsALineInsideAText) {
  const Turned told = turned("[\"a\nb\",1]", 3);
  EXPECT_EQ(told.text,
            " \"a\x01"
            "b\"\n1\n");
}

TEST(ArrayLines, GoesOnAfterAnItemWithABracketTooMany) {
  EXPECT_EQ(turned("[{}},{}]", 9).text, " {}}\n{}\n");
}

TEST(ArrayLines, TellsTheFirstFaultAndItsPlace) {
  using Fault = ArrayLines::Fault;
  const auto fault = [](const std::string& text, Fault kind, std::uint64_t offset) {
    const Turned told = turned(text, 2);
    EXPECT_EQ(told.fault, kind) << text;
    EXPECT_EQ(told.offset, offset) << text;
  };
  fault("[1,2", Fault::early_end, 4);
  fault("[\"1", Fault::early_end, 3);
  fault("", Fault::early_end, 0);
  fault("[1,,2]", Fault::missing_item, 3);
  fault("[1,]", Fault::missing_item, 3);
  fault("[,1]", Fault::missing_item, 1);
  fault("[1] 2", Fault::after_end, 4);
  fault("[1]\n \n", Fault::none, 0);
  fault("[]", Fault::none, 0);
}

}  // namespace
}  // namespace fieldpost
