#include "protocol/webhook/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace fieldpost {

namespace {

std::vector<unsigned char> hmac(const EVP_MD* digest, std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  if (HMAC(digest, key.data(), static_cast<int>(key.size()), data, text.size(), bytes.data(),
           &size) == nullptr) {
    throw std::runtime_error("libcrypto computes no HMAC");
  }
  return {bytes.begin(), bytes.begin() + size};
}

}  // namespace

std::string standard_webhooks_signature(std::string_view key, std::string_view id,
                                        std::int64_t unix_s, std::string_view body) {
  std::string signed_text(id);
  signed_text.append(".").append(std::to_string(unix_s)).append(".").append(body);
  const std::vector<unsigned char> bytes = hmac(EVP_sha256(), key, signed_text);
  std::array<unsigned char, 4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1> base64{};
  const int length = EVP_EncodeBlock(base64.data(), bytes.data(), static_cast<int>(bytes.size()));
  return "v1," + std::string(base64.begin(), base64.begin() + length);
}

std::string segment_signature(std::string_view secret, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : hmac(EVP_sha1(), secret, text)) {
    hex.append({kDigits[byte >> 4], kDigits[byte & 15]});
  }
  return hex;
}

}  // namespace fieldpost
