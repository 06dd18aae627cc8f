// {"@literal": 0}: the value itself; directives inside it run, as in Segment's engine.
#include <algorithm>

#include "mapping/directives.h"

namespace fieldpost {
namespace {

bool holds_directive(const Json& value) {
  if (has_directive_key(value)) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), holds_directive);
}

}  // namespace

NodePtr compile_literal(Compiler& compiler, const Json& argument, const std::string& path) {
  if (holds_directive(argument)) {
    compiler.warn("E166", "a literal is not left alone: the directives inside it run", path,
                  "leave \"@literal\" out if they should; write \"@@\" for a body key that begins "
                  "with @");
  }
  return compiler.compile_meant(argument, path);
}

}  // namespace fieldpost
