// Whether a text is one JSON value (RFC 8259), for texts that events carry: any value, lone
// surrogates allowed, no memory but its own. Lines of a stream go through the walker instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fieldpost {

enum class JsonText : std::uint8_t { valid, invalid, too_deep };

// `stopped`: where the reading ended, if anybody asks.
JsonText check_json(std::string_view text, std::size_t* stopped = nullptr);

// How many bytes the first JSON value of a text and the blanks around it take; 0 where none is
// whole.
std::size_t first_json(std::string_view text);

}  // namespace fieldpost
