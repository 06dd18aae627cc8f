#include "http/content_coding.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace fieldpost {
namespace {

constexpr int kGzip = 15 + 16, kZlib = 15, kRaw = -15;
constexpr std::size_t kMost = 100000;

std::string packed(const std::string& text, int window_bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string input = text, out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(Decoded, UnpacksWhatItKnows) {
  EXPECT_EQ(decoded("gzip", packed("{}", kGzip), kMost), "{}");
  EXPECT_EQ(decoded("x-gzip, ", packed("{}", kGzip), kMost), "{}");
  EXPECT_EQ(decoded("deflate", packed("{}", kZlib), kMost), "{}");
  EXPECT_EQ(decoded("deflate", packed("{}", kRaw), kMost), "{}");
  EXPECT_EQ(decoded("gzip", packed("{", kGzip) + packed("}", kGzip), kMost), "{}");
  EXPECT_EQ(decoded("deflate, gzip", packed(packed("{}", kZlib), kGzip), kMost), "{}");
}

TEST(Decoded, LeavesWhatIsNotPacked) {
  for (const char* codings : {"", "identity", "none", "UTF-8", "identity,utf-8"}) {
    EXPECT_EQ(decoded(codings, "{}", kMost), "{}") << codings;
  }
  EXPECT_EQ(decoded("br", "", kMost), "") << "there is nothing to read";
}

TEST(Decoded, IsNothingWhereItCannotBeRead) {
  EXPECT_EQ(decoded("br", "{}", kMost), std::nullopt);
  EXPECT_EQ(decoded("gzip, aws-chunked", "{}", kMost), std::nullopt);
  EXPECT_EQ(decoded("gzip", "no gzip", kMost), std::nullopt);
  const std::string whole = packed("{\"a\": 1}", kGzip);
  EXPECT_EQ(decoded("gzip", whole.substr(0, whole.size() - 3), kMost), std::nullopt);
  EXPECT_EQ(decoded("gzip", packed(std::string(kMost + 1, 'x'), kGzip), kMost), std::nullopt);
  EXPECT_EQ(decoded("gzip", packed(std::string(kMost, 'x'), kGzip), kMost)->size(), kMost);
}

}  // namespace
}  // namespace fieldpost
