// {"@literal": 0}: the value itself; directives inside it run, as in Segment's engine.
#include "mapping/directives.h"

namespace fieldpost {

NodePtr compile_literal(Compiler& compiler, const Json& argument, const std::string& path) {
  return compiler.compile_loosely(argument, path);
}

}  // namespace fieldpost
