// The dialects: one parser file each, one kind of tree.
#pragma once

#include <string_view>

#include "event/selection.h"
#include "filter/ast.h"

namespace fieldpost {

// Each adds the paths it reads to `selection` and throws DocumentError with spans in bytes.
FilterNodePtr parse_fieldpost(std::string_view text, Selection& selection);
FilterNodePtr parse_trigger(std::string_view text, Selection& selection);
FilterNodePtr parse_destination(std::string_view text, Selection& selection);

}  // namespace fieldpost
