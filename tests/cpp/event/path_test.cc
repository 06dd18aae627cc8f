#include "event/path.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(Path, SplitsAsSegmentDoes) {
  const std::pair<const char*, Path> table[] = {
      {"", {}},
      {".", {}},
      {"..", {}},
      {"$.", {}},
      {"$.a.b", {"a", "b"}},
      {"a$.b", {"ab"}},
      {"$.$.a", {"$", "a"}},
      {"$['a']", {"$", "a"}},
      {"a['b']", {"a", "b"}},
      {"a[\"b\"][0]", {"a", "b", "0"}},
      {"a[b]", {"a[b]"}},
      {"a['']", {"a", ""}},
      {"a b.c", {"a b", "c"}},
  };
  for (const auto& [text, path] : table) EXPECT_EQ(parse_directive_path(text), path) << text;
}

TEST(Path, KeepsDotsBetweenTheQuotesOfABracket) {
  EXPECT_EQ(parse_directive_path("$.a['b.c'].d"), (Path{"a", "b.c", "d"}));
  EXPECT_EQ(parse_directive_path("$.a[\"x.y\"]"), (Path{"a", "x.y"}));
}

TEST(Path, OfATemplateKeepsTheDollar) { EXPECT_EQ(parse_path("$.a"), (Path{"$", "a"})); }

TEST(Path, IsWrittenAsItIsRead) {
  for (const Path& path : {Path{"a", "b.c"}, Path{"b.c"}, Path{"$", "a"}, Path{"", "]"}}) {
    EXPECT_EQ(parse_directive_path("$" + path_text(path)), path) << path_text(path);
  }
}

}  // namespace
}  // namespace fieldpost
