// The body of an answer as it was before it was packed for the way (RFC 9110, 8.4).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fieldpost {

// `codings`: the value of Content-Encoding: gzip, deflate, and names that stand for none. Nothing
// where a coding is unknown, the body is damaged, or it would be longer than `most` bytes.
std::optional<std::string> decoded(std::string_view codings, std::string body, std::size_t most);

}  // namespace fieldpost
