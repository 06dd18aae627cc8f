// {"@root": "$.userId"}: a path from the whole event, also inside the items of an @arrayPath.
#include "event/path.h"
#include "mapping/directives.h"
#include "mapping/path_quirks.h"

namespace fieldpost {
namespace {

class RootNode final : public FindingNode {
 public:
  explicit RootNode(std::uint32_t slot) : slot_(slot) {}
  Value value(const Scope& scope, std::string& scratch) const override {
    return scope.event().value(slot_, scratch);
  }

 private:
  std::uint32_t slot_;
};

}  // namespace

NodePtr compile_root(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_string()) {
    compiler.mistake("E203", "@root expects a path, got " + type_name(argument), path,
                     "write it as \"$.userId\"");
    return nullptr;
  }
  warn_of_path(compiler, argument.get<std::string>(), path);
  const Path keys = parse_directive_path(argument.get<std::string>());
  return std::make_unique<RootNode>(compiler.event_reach(keys).slot);
}

}  // namespace fieldpost
