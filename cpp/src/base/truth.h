// Texts that say yes or no.
#pragma once

#include <optional>
#include <string_view>

namespace fieldpost {

// "true", "yes" and "1" are true, "false", "no" and "0" false; letter case and blanks around them
// do not count. Nothing of any other text.
std::optional<bool> truth_of(std::string_view text);

}  // namespace fieldpost
