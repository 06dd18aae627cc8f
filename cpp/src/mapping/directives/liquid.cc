// {"@liquid": "…"}: known, but not yet there.
#include "mapping/directives.h"

namespace fieldpost {

NodePtr compile_liquid(Compiler& compiler, const Json&, const std::string& path) {
  compiler.mistake("E207", "@liquid comes with a later version", path,
                   "most texts can be written with @template, @case, @replace and @if");
  return nullptr;
}

}  // namespace fieldpost
