#include "protocol/dynamics/ids.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/uuid.h"

namespace fieldpost {
namespace {

TEST(RowId, NeverChanges) {
  // Computed with Python: uuid5(uuid5(NAMESPACE_DNS, "fieldpost"), "1:d1:s2:e11:$").
  EXPECT_EQ(row_id("d", "s", "e1", "$"), uuid5(kFieldpostNamespace, "1:d1:s2:e11:$"));
  EXPECT_EQ(row_id("d", "s", "e1", "$"), "0c9946d4-a690-59ed-8982-c5d42e448ab5");
  EXPECT_EQ(request_id(row_id("d", "s", "e1", "$")), "c0216ade-a14f-5aa1-b460-772fc98df59f");
}

TEST(RowId, DiffersWhereverOneOfItsPartsDoes) {
  const std::set<std::string> ids = {
      row_id("d", "s", "e", "$"), row_id("D", "s", "e", "$"),   row_id("d", "S", "e", "$"),
      row_id("d", "s", "E", "$"), row_id("d", "s", "e", "$.a"), row_id("ds", "", "e", "$"),
      row_id("", "ds", "e", "$"), row_id("d", "se", "", "$"),   row_id("d", "s1:e", "", "$"),
  };
  EXPECT_EQ(ids.size(), 9u);
}

}  // namespace
}  // namespace fieldpost
