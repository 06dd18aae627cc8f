// {"@transform": {"apply": {…}, "mapping": {…}}}: maps what `apply` makes of the event.
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

class TransformNode final : public Node {
 public:
  TransformNode(Reach input, NodePtr apply, NodePtr mapping)
      : input_(std::move(input)), apply_(std::move(apply)), mapping_(std::move(mapping)) {}

  bool write(const Scope& scope, std::string& out) const override {
    check_input(scope);
    std::string scratch;
    std::string settled;
    apply_->value(scope, scratch).append_json(settled, Gaps::kept);
    return mapping_->write(scope.at(Value(settled)), out);
  }

 private:
  void check_input(const Scope& scope) const {
    std::string scratch;
    const Value::Kind kind = scope.find(input_, scratch).kind();
    if (kind == Value::Kind::object || kind == Value::Kind::undefined) return;
    throw EventFault{
        "E407", std::string("@transform expects an object to work on, got ") + kind_name(kind)};
  }

  Reach input_;
  NodePtr apply_;
  NodePtr mapping_;
};

}  // namespace

NodePtr compile_transform(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@transform", argument, path, {"apply", "mapping"});
  if (!options) return nullptr;
  bool right = options.needs_truthy("apply");
  right = options.needs_truthy("mapping") && right;
  if (right && !options["apply"].is_object()) {
    options.wrong("apply", "an object or a directive");
    right = false;
  }
  if (right && compiler.looks_closely() && !options["mapping"].is_object()) {
    options.wrong("mapping", "an object or a directive");
    right = false;
  }
  if (!right) return nullptr;
  Reach input = compiler.reach({});
  NodePtr apply = compiler.compile_whole(options["apply"], options.at("apply"));
  NodePtr mapping =
      compiler.compile_for_value(options["mapping"], options.at("mapping"), apply.get());
  return std::make_unique<TransformNode>(std::move(input), std::move(apply), std::move(mapping));
}

}  // namespace fieldpost
