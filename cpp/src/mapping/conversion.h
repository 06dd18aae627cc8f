// What @number, @string and @boolean share: {"@number": value} or {"@number": {"value": …,
// "on_failure": "error" | "null" | "omit"}}. What is missing or null stays so.
#pragma once

#include <string>

#include "mapping/compiler.h"

namespace fieldpost {

// Appends the JSON, or false and nothing where the value cannot be converted.
using Convert = bool (*)(Value value, std::string& out);

NodePtr compile_conversion(Compiler& compiler, const char* directive, const Json& argument,
                           const std::string& path, Convert convert);

}  // namespace fieldpost
