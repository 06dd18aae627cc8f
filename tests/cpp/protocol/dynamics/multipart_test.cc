#include "protocol/dynamics/multipart.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace fieldpost {
namespace {

TEST(Multipart, TheBoundaryIsFoundQuotedOrNotAndAmongOtherParameters) {
  EXPECT_EQ(boundary_of("multipart/mixed; boundary=batchresponse_1"), "batchresponse_1");
  EXPECT_EQ(boundary_of("Multipart/Mixed;charset=utf-8; BOUNDARY=\"a b;c\"; x=y"), "a b;c");
  EXPECT_EQ(boundary_of("multipart/mixed;boundary = x ;y=z"), "x");
  EXPECT_EQ(boundary_of("application/json; boundary=x"), "");
  EXPECT_EQ(boundary_of("multipart/mixed"), "");
  EXPECT_EQ(boundary_of("multipart/mixed; boundary=\"open"), "");
}

TEST(Multipart, PartsAreReadWithEitherLineEndAndHeadersInAnyCase) {
  const std::string crlf =
      "preamble\r\n--b\r\ncontent-type: application/http\r\nCONTENT-ID: 7\r\n\r\none\r\n"
      "--b\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue";
  std::string lf;
  for (const char c : crlf) {
    if (c != '\r') lf.push_back(c);
  }
  for (const std::string& body : {crlf, lf}) {
    const auto parts = read_parts(body, "b");
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].header("Content-ID"), "7");
    EXPECT_EQ(parts[0].content, "one");
    EXPECT_EQ(parts[1].content.substr(0, 3), "two");
  }
}

TEST(Multipart, ALongerBoundaryThatBeginsAlikeEndsNoPart) {
  const auto parts = read_parts("--b\r\n\r\n--bc\r\ntext --b\r\n--b--\r\n", "b");
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts[0].content, "--bc\r\ntext --b");
}

TEST(Multipart, APartThatNoBoundaryEndsIsLeftOut) {
  EXPECT_EQ(read_parts("--b\r\n\r\none\r\n--b\r\n\r\nhal", "b").size(), 1u);
  EXPECT_TRUE(read_parts("no boundary at all", "b").empty());
  EXPECT_TRUE(read_parts("", "b").empty());
}

TEST(Multipart, AnAnswerHasStatusHeadersAndBody) {
  const auto answer = read_answer(
      "\r\nHTTP/1.1 412 Precondition Failed\r\nretry-after:  3 \r\n\r\n{\"error\":{}}\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 412);
  EXPECT_EQ(answer->header("Retry-After"), "3");
  EXPECT_EQ(answer->body, "{\"error\":{}}");
  for (const char* broken :
       {"", "HTTP/1.1", "HTTP/1.1 x", "HTTP/1.1 20", "HTTP/1.1 999 X", "204"}) {
    EXPECT_FALSE(read_answer(broken)) << broken;
  }
}

TEST(Multipart, WhatIsWrittenIsReadAgainAndEndsWithCrlf) {
  std::string text;
  write_part(text, "b", {{"Content-ID", "1"}}, "one\r\n");
  write_end(text, "b");
  EXPECT_EQ(text, "--b\r\nContent-ID: 1\r\n\r\none\r\n--b--\r\n");
}

// Bytes that a broken or hostile service could send: nothing may crash, hang or read outside.
TEST(Multipart, AnyMutationOfAnAnswerIsReadWithoutHarm) {
  std::string inner;
  write_part(inner, "c", {{"Content-ID", "1"}}, "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n\r\n");
  write_end(inner, "c");
  std::string whole;
  write_part(whole, "b", {{"Content-Type", "multipart/mixed; boundary=c"}}, inner);
  write_part(whole, "b", {{"Content-ID", "2"}}, "HTTP/1.1 400 Bad\r\n\r\n{}\r\n");
  write_end(whole, "b");
  std::mt19937 random(7);
  constexpr std::string_view kPieces[] = {"--b", "--b--", "\r\n", "\n",   "--",
                                          "\r",  ":",     "\0",   "HTTP/"};
  for (int round = 0; round < 20000; ++round) {
    std::string text = whole;
    for (int change = static_cast<int>(random() % 4); change >= 0; --change) {
      const std::size_t at = random() % (text.size() + 1);
      switch (random() % 4) {
        case 0:
          text.erase(at, random() % 20);
          break;
        case 1:
          text.insert(at, kPieces[random() % std::size(kPieces)]);
          break;
        case 2:
          if (at < text.size()) text[at] = static_cast<char>(random());
          break;
        default:
          text.resize(at);
      }
    }
    for (const EnvelopePart& part : read_parts(text, "b")) {
      const std::string_view boundary = boundary_of(part.header("Content-Type"));
      if (!boundary.empty()) {
        for (const EnvelopePart& nested : read_parts(part.content, boundary))
          read_answer(nested.content);
      }
      read_answer(part.content);
    }
  }
}

}  // namespace
}  // namespace fieldpost
