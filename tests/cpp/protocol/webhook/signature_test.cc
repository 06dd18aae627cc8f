#include "protocol/webhook/signature.h"

#include <gtest/gtest.h>

#include <string>

namespace fieldpost {
namespace {

// The example of the Standard Webhooks libraries: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.
TEST(StandardWebhooksSignature, IsThatOfThePublishedExample) {
  const std::string key =
      "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4"
      "\xb0";
  EXPECT_EQ(standard_webhooks_signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                                        R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(SegmentSignature, IsHmacSha1InHexadecimal) {
  // RFC 2202, 3, test cases 2 and 6.
  EXPECT_EQ(segment_signature("Jefe", "what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(segment_signature(std::string(80, '\xaa'),
                              "Test Using Larger Than Block-Size Key - Hash Key First"),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

}  // namespace
}  // namespace fieldpost
