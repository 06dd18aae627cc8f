#include "fieldpost/chunk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace fieldpost {
namespace {

// Writes what fits; returns what is left.
std::string_view pour(Chunk& chunk, std::string_view text) {
  const auto room = chunk.spare();
  const std::size_t bytes = std::min(room.size(), text.size());
  std::memcpy(room.data(), text.data(), bytes);
  chunk.filled(bytes);
  return text.substr(bytes);
}

TEST(Chunk, HoldsBackThePartialLine) {
  Chunk chunk("s", true);
  pour(chunk, "one\ntwo\nthr");
  EXPECT_EQ(chunk.lines(), "one\ntwo\n");
  Chunk next = chunk.rest();
  EXPECT_EQ(next.start().line, 3U);
  EXPECT_EQ(next.start().offset, 8U);
  pour(next, "ee\n");
  EXPECT_EQ(next.lines(), "three\n");
}

TEST(Chunk, KeepsNotesToItself) {
  Chunk chunk("s", true);
  pour(chunk, "one\ntwo\nthr");
  chunk.note(2, "why");
  ASSERT_EQ(chunk.notes().size(), 1U);
  EXPECT_EQ(chunk.notes()[0].line, 2U);
  EXPECT_TRUE(chunk.rest().notes().empty());
  EXPECT_EQ(chunk.size(), 11U);
}

TEST(Chunk, GivesAnUnendedLastLineWhenFinished) {
  Chunk chunk("s", true);
  pour(chunk, "one\ntwo");
  chunk.finish();
  EXPECT_EQ(chunk.lines(), "one\ntwo");
}

TEST(Chunk, GrowsForALongLine) {
  Chunk chunk("s", true, 4096);
  const std::string line(100'000, 'x');
  std::string_view left = line;
  while (!left.empty()) {
    left = pour(chunk, left);
    EXPECT_FALSE(chunk.ready());
  }
  pour(chunk, "\n");
  EXPECT_TRUE(chunk.ready());
  EXPECT_EQ(chunk.lines().size(), line.size() + 1);
}

TEST(Chunk, PiecesOfAnySizeGiveTheSameLines) {
  const std::string text = "a\n\nbb\r\nccc\nlast";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    Chunk chunk("s", true, 4096);
    std::string seen;
    for (std::size_t at = 0; at < text.size(); at += size) {
      pour(chunk, std::string_view(text).substr(at, size));
      Chunk next = chunk.rest();
      seen += chunk.lines();
      EXPECT_EQ(next.start().offset, seen.size());
      chunk = std::move(next);
    }
    chunk.finish();
    seen += chunk.lines();
    EXPECT_EQ(seen, text);
  }
}

TEST(Chunk, FindsTheLineThatBeginsAtAnOffsetOfTheSource) {
  Chunk chunk("s", true);
  pour(chunk, "one\ntwo\nthr");
  Chunk next = chunk.rest();
  pour(next, "ee\nfour");
  next.finish();
  EXPECT_EQ(chunk.line(4), "two");
  EXPECT_EQ(next.line(8), "three");
  EXPECT_EQ(next.line(14), "four");
  EXPECT_EQ(next.line(4), "");  // of the chunk before
  EXPECT_EQ(next.line(1'000), "");
  EXPECT_EQ(Chunk("s", true).line(0), "");
}

TEST(Chunk, CutKeepsTheFirstEventsAndNothingBehindThem) {
  const auto cut = [](std::string_view text, std::size_t events) {
    Chunk chunk("s", true);
    pour(chunk, text);
    const std::size_t held = chunk.cut(events);
    return std::to_string(held) + ":" + std::string(chunk.lines());
  };
  EXPECT_EQ(cut("\n a\n\nb\nc\n", 2), "2:\n a\n\nb");
  EXPECT_EQ(cut("a\nb\n", 9), "2:a\nb\n");
  EXPECT_EQ(cut("a\nb\n", 0), "0:");
  EXPECT_EQ(cut("\n\n", 1), "0:\n\n");
  EXPECT_EQ(cut("a\nhalf", 1), "1:a");
}

TEST(Chunk, RefusesMoreThanItGave) {
  Chunk chunk("s", true);
  EXPECT_THROW(chunk.filled(chunk.spare().size() + 1), std::out_of_range);
}

}  // namespace
}  // namespace fieldpost
