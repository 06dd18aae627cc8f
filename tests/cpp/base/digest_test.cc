#include "base/digest.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(Digest, AgreesWithTheVectorsOfItsStandards) {
  EXPECT_EQ(md5_head("abc"), 0x900150983cd24fb0U);  // RFC 1321, A.5
  EXPECT_EQ(md5_head(""), 0xd41d8cd98f00b204U);
  EXPECT_EQ(sha256_hex("abc"),  // FIPS 180-2, B.1
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace fieldpost
