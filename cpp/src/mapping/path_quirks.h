// What in the text of a path does not mean what it looks like: a warning for each.
#pragma once

#include <string>
#include <string_view>

#include "mapping/compiler.h"

namespace fieldpost {

// `path` is where the text stands in the document.
void warn_of_path(Compiler& compiler, std::string_view text, const std::string& path);

// The same of a placeholder, which takes no "$.".
void warn_of_placeholder(Compiler& compiler, std::string_view text, const std::string& path);

// Where a directive of a body makes a text of the number that `read` may find: an id that a double
// does not hold. `hint` is how to keep its digits.
void warn_of_digits(Compiler& compiler, const Path& read, const std::string& path,
                    const std::string& hint);

}  // namespace fieldpost
