// {"@default": [{"@path": "$.a"}, {"@path": "$.b"}, "none"]}: the first that is there and not null.
#include "mapping/directives.h"

namespace fieldpost {
namespace {

class DefaultNode final : public Node {
 public:
  explicit DefaultNode(std::vector<NodePtr> choices) : choices_(std::move(choices)) {}

  // Where all are missing the last one counts, so a last null gives null.
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    Value value;
    for (const NodePtr& choice : choices_) {
      value = choice->value(scope, scratch);
      if (!value.is_nothing()) break;
    }
    return FindingNode::append_found(value, scope, out);
  }

 private:
  std::vector<NodePtr> choices_;
};

}  // namespace

NodePtr compile_default(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_array() || argument.empty()) {
    compiler.mistake("E203",
                     "@default expects a list of values to choose from, got " +
                         (argument.is_array() ? "an empty one" : type_name(argument)),
                     path, "for example [{\"@path\": \"$.traits.name\"}, \"unknown\"]");
    return nullptr;
  }
  std::vector<NodePtr> choices;
  for (std::size_t i = 0; i < argument.size(); ++i) {
    choices.push_back(compiler.compile(argument[i], path + "[" + std::to_string(i) + "]"));
  }
  return std::make_unique<DefaultNode>(std::move(choices));
}

}  // namespace fieldpost
