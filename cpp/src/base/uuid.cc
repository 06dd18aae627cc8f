#include "base/uuid.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace fieldpost {

namespace {

constexpr std::size_t kBytes = 16;

bool has_dash_at(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The 16 bytes of a UUID's text, as characters.
std::string to_bytes(std::string_view text) {
  if (!is_uuid(text)) throw std::invalid_argument("the name space of a UUID is not a UUID");
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    if (has_dash_at(i)) ++i;
    bytes += static_cast<char>(digit_of(text[i]) << 4 | digit_of(text[i + 1]));
  }
  return bytes;
}

std::string to_text(const unsigned char* bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < kBytes; ++i) {
    if (has_dash_at(text.size())) text += '-';
    text += kHex[bytes[i] >> 4];
    text += kHex[bytes[i] & 15];
  }
  return text;
}

// Asking OpenSSL for the algorithm costs more than the digest of a short text.
const EVP_MD* sha1() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA1", nullptr);
  return algorithm;
}

}  // namespace

// A literal, so that it needs no start-up code; uuid_test.cc holds it to its definition.
const std::string_view kFieldpostNamespace = "d20043b0-8940-55cc-a650-3c793f71d61b";

std::string uuid5(std::string_view space, std::string_view name) {
  const std::string input = to_bytes(space).append(name);
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  if (EVP_Digest(input.data(), input.size(), hash.data(), nullptr, sha1(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL refuses the digest");
  }
  hash[6] = static_cast<unsigned char>((hash[6] & 0x0f) | 0x50);  // version 5
  hash[8] = static_cast<unsigned char>((hash[8] & 0x3f) | 0x80);  // variant of RFC 9562
  return to_text(hash.data());
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (has_dash_at(i) ? text[i] != '-' : digit_of(text[i]) < 0) return false;
  }
  return true;
}

}  // namespace fieldpost
