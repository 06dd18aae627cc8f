// Dates of HTTP headers.
#pragma once

#include <optional>
#include <string_view>

namespace fieldpost {

// Unix seconds, from any of the three forms that a recipient has to take (RFC 9110, 5.6.7):
// "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". A
// year of two digits is the one that is nearest to `now_unix_s`.
std::optional<double> http_date(std::string_view text, double now_unix_s);

}  // namespace fieldpost
