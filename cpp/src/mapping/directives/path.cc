// {"@path": "$.properties.email"}: the value at a path, undefined where there is none.
#include "fieldpost/mapping.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

class PathNode final : public Node {
 public:
  explicit PathNode(Reach reach) : reach_(std::move(reach)) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value found = reach_.find(scope, scratch);
    found.append_json(out);
    return !found.is_undefined();
  }
  Value value(const Scope& scope, std::string& scratch) const override {
    return reach_.find(scope, scratch);
  }

 private:
  Reach reach_;
};

// The path itself comes from the event.
class ComputedPathNode final : public Node {
 public:
  ComputedPathNode(NodePtr path, Reach root) : path_(std::move(path)), root_(std::move(root)) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string text;
    std::string scratch;
    const Value path = path_->value(scope, text);
    if (path.kind() != Value::Kind::string) throw EventFault{"E407", "@path: expected a string"};
    const Value found =
        root_.find(scope, scratch).follow(parse_directive_path(path.string()), 0, scratch);
    found.append_json(out);
    return !found.is_undefined();
  }

 private:
  NodePtr path_;
  Reach root_;
};

}  // namespace

NodePtr compile_path(Compiler& compiler, const Json& argument, const std::string& path) {
  if (argument.is_string()) {
    return std::make_unique<PathNode>(
        compiler.reach(parse_directive_path(argument.get<std::string>())));
  }
  if (is_directive(argument)) {
    return std::make_unique<ComputedPathNode>(compiler.compile(argument, path), compiler.reach({}));
  }
  compiler.mistake("E203", "expected a path (a string or a directive), got " + type_name(argument),
                   path, "write it as \"$.properties.name\"");
  return nullptr;
}

}  // namespace fieldpost
