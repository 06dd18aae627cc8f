// {"@if": {"exists": {"@path": "$.a"}, "then": …, "else": …}}
//
// "exists" asks for a value that is neither undefined nor null. "blank" (Segment's name for it)
// asks for one that is also not loosely equal to "": not "", 0, false, or a list of nothing.
#include <algorithm>

#include "mapping/directives.h"

namespace fieldpost {
namespace {

bool is_blank(Value value) {
  if (value.is_nothing()) return true;
  if (value.kind() != Value::Kind::array) return value.falsy();
  std::string text;
  value.append_text(text);
  return text.empty();
}

class IfNode final : public Node {
 public:
  IfNode(NodePtr condition, bool asks_blank, NodePtr then, NodePtr otherwise)
      : condition_(std::move(condition)),
        asks_blank_(asks_blank),
        then_(std::move(then)),
        otherwise_(std::move(otherwise)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = condition_->value(scope, scratch);
    const bool holds = asks_blank_ ? !is_blank(value) : !value.is_nothing();
    const NodePtr& chosen = holds ? then_ : otherwise_;
    return chosen && chosen->write(scope, out);
  }

 private:
  NodePtr condition_;
  bool asks_blank_;
  NodePtr then_;
  NodePtr otherwise_;
};

bool is_given(const Json& argument, const char* key) {
  return argument.contains(key) && is_truthy_literal(argument.at(key));
}

void refuse_unknown_keys(Compiler& compiler, const Json& argument, const std::string& path) {
  const std::vector<std::string> known = {"exists", "blank", "then", "else"};
  for (const auto& [key, value] : argument.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = did_you_mean(key, known);
    compiler.mistake("E204", "@if has no option \"" + key + "\"", path,
                     near.empty() ? "" : "did you mean \"" + near + "\"?");
  }
}

}  // namespace

NodePtr compile_if(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_object() || is_directive(argument)) {
    compiler.mistake(
        "E203", "@if expects an object with \"exists\" or \"blank\", \"then\", \"else\"", path);
    return nullptr;
  }
  refuse_unknown_keys(compiler, argument, path);
  if (!is_given(argument, "exists") && !is_given(argument, "blank")) {
    compiler.mistake("E205", "@if needs \"exists\" or \"blank\"", path,
                     "for example \"exists\": {\"@path\": \"$.properties.email\"}");
    return nullptr;
  }
  const char* asked = argument.contains("exists") ? "exists" : "blank";
  const auto branch = [&](const char* key) -> NodePtr {
    if (!argument.contains(key)) return nullptr;
    return compiler.compile(argument.at(key), path + "." + key);
  };
  NodePtr otherwise = branch("else");
  if (!is_given(argument, "else")) otherwise = nullptr;  // a falsy literal counts as absent
  return std::make_unique<IfNode>(branch(asked), asked[0] == 'b', branch("then"),
                                  std::move(otherwise));
}

}  // namespace fieldpost
