// Why a filter says what it says of one event.
#pragma once

#include <string>
#include <string_view>

#include "event/selection.h"
#include "filter/ast.h"

namespace fieldpost {

// See Filter::explain. Spans are characters of `text`.
std::string explain(const FilterNode& root, std::string_view text, const Slots& slots);

// How many characters (code points) the first `bytes` of `text` are.
std::size_t characters(std::string_view text, std::size_t bytes);

}  // namespace fieldpost
