// {"@path": "$.properties.email"}: the value at a path, undefined where there is none.
#include "event/path.h"

#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/path_quirks.h"

namespace fieldpost {
namespace {

class PathNode final : public FindingNode {
 public:
  explicit PathNode(Reach reach) : reach_(std::move(reach)) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    return append_found(scope.find(reach_, scratch), scope, out);
  }
  bool put(const Scope& scope, Writer& writer) const override {
    const Found* kept = scope.kept(reach_);
    if (kept == nullptr) return Node::put(scope, writer);
    if (kept->data == nullptr) return false;
    // Lists and objects are written without the blanks they may have.
    if (*kept->data == '{' || *kept->data == '[') return Node::put(scope, writer);
    writer.put(kept->token(), scope.readable());
    return true;
  }
  Value value(const Scope& scope, std::string& scratch) const override {
    return scope.find(reach_, scratch);
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
    if (!path.is_string()) {
      throw EventFault{"E407", std::string("@path expects a text, got ") + kind_name(path.kind())};
    }
    const Value whole = scope.find(root_, scratch);
    const Path keys = parse_directive_path(path.string());
    return FindingNode::append_found(whole.follow(keys, 0, scratch), scope, out);
  }

 private:
  NodePtr path_;
  Reach root_;
};

}  // namespace

NodePtr compile_path(Compiler& compiler, const Json& argument, const std::string& path) {
  if (argument.is_string()) {
    const auto text = argument.get<std::string>();
    warn_of_path(compiler, text, path);
    return std::make_unique<PathNode>(compiler.reach(parse_directive_path(text)));
  }
  if (has_directive_key(argument)) {
    return std::make_unique<ComputedPathNode>(compiler.compile(argument, path), compiler.reach({}));
  }
  compiler.mistake("E203", "expected a path (a string or a directive), got " + type_name(argument),
                   path, "write it as \"$.properties.name\"");
  return nullptr;
}

}  // namespace fieldpost
