// {"@if": {"exists": {"@path": "$.a"}, "then": …, "else": …}}
//
// "exists" asks for a value that is neither undefined nor null. "blank" (Segment's name for it)
// asks for one that is also not loosely equal to "": not "", 0, false, or a list of nothing.
#include "mapping/directives.h"
#include "mapping/options.h"

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
    const NodePtr& chosen = choose(scope);
    return chosen && chosen->write(scope, out);
  }
  Value value(const Scope& scope, std::string& scratch) const override {
    const NodePtr& chosen = choose(scope);
    return chosen ? chosen->value(scope, scratch) : Value();
  }

 private:
  const NodePtr& choose(const Scope& scope) const {
    std::string scratch;
    const Value value = condition_->value(scope, scratch);
    const bool holds = asks_blank_ ? !is_blank(value) : !value.is_nothing();
    return holds ? then_ : otherwise_;
  }

  NodePtr condition_;
  bool asks_blank_;
  NodePtr then_;
  NodePtr otherwise_;
};

void warn_of_quirks(Compiler& compiler, const Options& options, const std::string& path) {
  if (options.has("else") && !options.is_truthy("else")) {
    compiler.warn("E225", "\"else\" with a literal 0, \"\", false or null gives nothing",
                  options.at("else"), "write {\"@literal\": " + options["else"].dump() + "}");
  }
  if (options.has("exists") && options.has("blank")) {
    compiler.warn("E226", "\"exists\" wins over \"blank\", even where it is null", path,
                  "keep one of them");
  } else if (options.has("blank")) {
    compiler.warn("E227",
                  "\"blank\" takes \"then\" where the value is NOT blank; 0, false and lists of "
                  "nothing count as blank, \" \" does not",
                  path, "ask with \"exists\" where you mean: neither missing nor null");
  }
}

}  // namespace

NodePtr compile_if(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@if", argument, path, {"exists", "blank", "then", "else"});
  if (!options) return nullptr;
  if (!options.is_truthy("exists") && !options.is_truthy("blank")) {
    options.missing("\"exists\" or \"blank\"",
                    "for example \"exists\": {\"@path\": \"$.properties.email\"}");
    return nullptr;
  }
  warn_of_quirks(compiler, options, path);
  const char* asked = options.has("exists") ? "exists" : "blank";
  if (options.has("exists") && compiler.looks_closely()) options.compile("blank");
  NodePtr otherwise = options.compile("else");
  if (!options.is_truthy("else")) otherwise = nullptr;  // a falsy literal counts as absent
  NodePtr condition = options.compile(asked);
  NodePtr then = options.compile("then");
  return std::make_unique<IfNode>(std::move(condition), asked[0] == 'b', std::move(then),
                                  std::move(otherwise));
}

}  // namespace fieldpost
