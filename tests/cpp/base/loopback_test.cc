#include "base/loopback.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(Loopback, IsLocalhostAndTheAddressesOfThisMachine) {
  for (const char* host :
       {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.255.0.9", "::1", "[::1]",
        "0:0:0:0:0:0:0:1", "0000::0001", "::ffff:127.0.0.1", "[::FFFF:7f00:1]"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
}

TEST(Loopback, IsNoNameThatOnlyLooksLikeOne) {
  for (const char* host : {"127.evil.test", "127.0.0.1.evil.test", "127.0.0", "127.0.0.256",
                           "128.0.0.1", "0.0.0.0", "::", "::2", "::ffff:10.0.0.1",
                           "localhost.evil.test", "a.localhost", "", "[127.0.0.1", "10.127.0.1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace fieldpost
