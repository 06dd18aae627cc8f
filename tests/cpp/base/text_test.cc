#include "base/text.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

std::string unescaped(std::string_view inside) {
  std::string out;
  append_unescaped(inside, out);
  return out;
}

std::string json(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

TEST(Text, UnescapesPairsAndLoneSurrogates) {
  EXPECT_EQ(unescaped(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(unescaped(R"(\u00e9\u20ac)"), "é€");
  EXPECT_EQ(unescaped(R"(\ud83d\ude00)"), "😀");
  EXPECT_EQ(json(unescaped(R"(\ud800\ud800)")), R"("\ud800\ud800")");
}

TEST(Text, EscapesWhatJsonMustAndNoMore) {
  EXPECT_EQ(json(std::string_view("\"\\\x01\n\x1f/\x7f", 7)), "\"\\\"\\\\\\u0001\\n\\u001f/\x7f\"");
  EXPECT_EQ(json("é€😀"), "\"é€😀\"");
}

TEST(Text, KnowsValidEscapes) {
  for (const char* good : {"", "a", R"(\n)", R"(\u12aF)", R"(\\u)"})
    EXPECT_TRUE(escapes_are_valid(good)) << good;
  for (const char* bad : {R"(\x)", R"(\u12)", R"(\u12g4)", "\\"})
    EXPECT_FALSE(escapes_are_valid(bad)) << bad;
}

TEST(Text, TrimsWhatJavaScriptCallsWhiteSpace) {
  EXPECT_EQ(trim(" \t\u00A0\u2003a b\uFEFF\n"), "a b");
  EXPECT_EQ(trim("\u200B"), "\u200B");
  EXPECT_EQ(trim("   "), "");
}

TEST(Text, HashesAreTheSameForever) {
  EXPECT_EQ(hash64(""), 18284041282127212159ULL);
  EXPECT_EQ(hash64("m-1"), 15498931219956811242ULL);
}

TEST(Text, AsciiLowerLeavesOtherLettersAsTheyStand) {
  EXPECT_EQ(ascii_lower("AZaz-Ä1"), "azaz-Ä1");
}

}  // namespace
}  // namespace fieldpost
