// Digests of bytes, by OpenSSL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fieldpost {

// The first 8 bytes of the MD5 digest as one number, most significant byte first.
std::uint64_t md5_head(std::string_view bytes);

// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace fieldpost
