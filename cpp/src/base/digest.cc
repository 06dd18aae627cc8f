#include "base/digest.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace fieldpost {
namespace {

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

Digest digest_of(std::string_view bytes, const EVP_MD* kind) {
  Digest digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, kind, nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses the digest");
  }
  return digest;
}

}  // namespace

std::uint64_t md5_head(std::string_view bytes) {
  const Digest digest = digest_of(bytes, EVP_md5());
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i) head = head << 8 | digest[i];
  return head;
}

std::string sha256_hex(std::string_view bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  constexpr std::size_t kBytes = 32;
  const Digest digest = digest_of(bytes, EVP_sha256());
  std::string text;
  for (std::size_t i = 0; i < kBytes; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace fieldpost
