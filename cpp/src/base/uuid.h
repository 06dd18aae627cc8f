// UUIDs made from names (RFC 9562, version 5: SHA-1). Same name, same id, on every machine.
#pragma once

#include <string>
#include <string_view>

namespace fieldpost {

// fieldpost's own namespace for the ids of rows: uuid5(DNS, "fieldpost").
extern const std::string_view kFieldpostNamespace;

// `space` is a UUID in text form. Lower case, 36 characters.
std::string uuid5(std::string_view space, std::string_view name);

bool is_uuid(std::string_view text);

}  // namespace fieldpost
