#include "event/value.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fieldpost {
namespace {

std::vector<std::string> members_of(std::string_view object) {
  std::vector<std::string> found;
  Members members{Value(object)};
  std::string_view key;
  Value value;
  while (members.next(key, value)) {
    found.push_back(std::string(key).append("=").append(value.token()));
  }
  return found;
}

TEST(Members, EndsAStringAtTheQuoteThatIsNotEscaped) {
  using List = std::vector<std::string>;
  EXPECT_EQ(members_of(R"({"":"","b":1})"), (List{R"(="")", "b=1"}));
  EXPECT_EQ(members_of(R"({"a":"\"","b":1})"), (List{R"(a="\"")", "b=1"}));
  EXPECT_EQ(members_of(R"({"a":"\\","b":1})"), (List{R"(a="\\")", "b=1"}));
  EXPECT_EQ(members_of(R"({"a":"\\\"","b":1})"), (List{R"(a="\\\"")", "b=1"}));
  EXPECT_EQ(members_of(R"({"a":"x\\\\","b":1})"), (List{R"(a="x\\\\")", "b=1"}));
  EXPECT_EQ(members_of(R"({"\\":"\"\"","\"":{"c":"}\""},"d":["]\\"]})"),
            (List{R"(\\="\"\"")", R"(\"={"c":"}\""})", R"(d=["]\\"])"}));
}

}  // namespace
}  // namespace fieldpost
