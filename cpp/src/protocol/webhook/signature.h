// Signatures of requests, so that who receives them knows who sent them.
//
// Standard Webhooks (https://www.standardwebhooks.com): webhook-id, webhook-timestamp and
// webhook-signature, HMAC-SHA256 over "id.timestamp.body", the body's exact bytes. Segment's
// X-Signature: HMAC-SHA1 over the body's JSON text, in hexadecimal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fieldpost {

// "v1,<base64>". key: the secret's bytes, which whsec_... stands for in base64.
std::string standard_webhooks_signature(std::string_view key, std::string_view id,
                                        std::int64_t unix_s, std::string_view body);

std::string segment_signature(std::string_view secret, std::string_view text);

}  // namespace fieldpost
