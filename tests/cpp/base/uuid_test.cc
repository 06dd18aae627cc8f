#include "base/uuid.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "base/random.h"

namespace fieldpost {
namespace {

constexpr std::string_view kDns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

TEST(Uuid5, GivesThePublishedValues) {
  EXPECT_EQ(uuid5(kDns, "www.example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  EXPECT_EQ(uuid5("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "www.example.com"),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Uuid5, TheNamespaceOfFieldpostIsWhatItIsSaidToBe) {
  EXPECT_EQ(uuid5(kDns, "fieldpost"), kFieldpostNamespace);
}

TEST(Uuid5, RefusesASpaceThatIsNoUuid) { EXPECT_THROW(uuid5("", "name"), std::invalid_argument); }

TEST(IsUuid, KnowsTheFormOnly) {
  EXPECT_TRUE(is_uuid("2ed6657d-e927-568b-95e1-2665a8aea6a2"));
  EXPECT_TRUE(is_uuid("2ED6657D-E927-568B-95E1-2665A8AEA6A2"));
  for (const char* text :
       {"", "2ed6657de927568b95e12665a8aea6a2", "{2ed6657d-e927-568b-95e1-2665}",
        "2ed6657d-e927-568b-95e1-2665a8aea6ag", "2ed6657d+e927-568b-95e1-2665a8aea6a2"}) {
    EXPECT_FALSE(is_uuid(text)) << text;
  }
}

TEST(Uuid4, IsAVersion4AndNeverTheSame) {
  Random random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random.uuid4();
    ASSERT_TRUE(is_uuid(id)) << id;
    EXPECT_EQ(id[14], '4');
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

}  // namespace
}  // namespace fieldpost
