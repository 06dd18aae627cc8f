#include "mapping/writer.h"

#include <gtest/gtest.h>

#include <vector>

namespace fieldpost {
namespace {

TEST(Writer, PutsPartsOfEverySizeAndReadsNothingBehindThem) {
  std::string out = "before ";
  std::string expected = out;
  {
    Writer writer(out);
    for (std::size_t size = 0; size < 3000; size = size * 9 / 8 + 1) {
      // On the heap and of that size, so that a sanitizer sees a byte too many.
      const std::vector<char> part(size, static_cast<char>('a' + size % 26));
      const std::string_view text(part.data(), part.size());
      writer.put(text, part.data() + part.size());
      writer.put(text);
      writer.put(',');
      expected.append(text).append(text).append(",");
      EXPECT_EQ(writer.size(), expected.size());
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Writer, PutsWideTextsFromAnyPlace) {
  std::string out;
  {
    Writer writer(out);
    for (const char* text : {"", ",", ",\"key\":", ",\"a key of more than thirty-two bytes\":"}) {
      const WideText wide(text);
      wide.put(writer);
      if (*text != '\0') wide.put(writer, 1);
    }
  }
  EXPECT_EQ(out,
            ",,\"key\":\"key\":,\"a key of more than thirty-two bytes\":"
            "\"a key of more than thirty-two bytes\":");
}

TEST(Writer, TakesBackAndLetsOthersAppend) {
  std::string out = "[";
  {
    Writer writer(out);
    writer.put("1,");
    const std::size_t before = writer.size();
    writer.put("never");
    writer.cut(before);
    EXPECT_TRUE(writer.in_string([](std::string& text) {
      text += "2";
      return true;
    }));
    EXPECT_FALSE(writer.in_string([](std::string&) { return false; }));
    for (char& c : writer.put_copy("abc")) c = static_cast<char>(c - 32);
    writer.put(']');
  }
  EXPECT_EQ(out, "[1,2ABC]");
}

}  // namespace
}  // namespace fieldpost
