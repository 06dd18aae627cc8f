// Texts of a mapping that look as if the event's values came in, and are sent as they stand.
#pragma once

#include <string>
#include <string_view>

#include "mapping/compiler.h"

namespace fieldpost {

// Of a text that no directive takes: "$.properties.email", "Hello {{traits.name}}".
void warn_of_text(Compiler& compiler, std::string_view text, const std::string& path);

// Of the text of a @template: a path without braces, as in "Hello $.traits.name".
void warn_of_template_text(Compiler& compiler, std::string_view text, const std::string& path);

// Of the text of a @path: a placeholder, as in "{{properties.email}}". False where it has none.
bool warn_of_braced_path(Compiler& compiler, std::string_view text, const std::string& path);

}  // namespace fieldpost
