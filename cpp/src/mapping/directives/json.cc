// {"@json": {"mode": "encode", "value": …}}: a value as JSON text; "decode" reads such a text.
#include <algorithm>

#include "base/text.h"
#include "event/json_text.h"
#include "event/object.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/growth.h"
#include "mapping/options.h"
#include "mapping/shape.h"

namespace fieldpost {
namespace {

class EncodeNode final : public Node {
 public:
  EncodeNode(NodePtr value, Digits digits) : value_(std::move(value)), digits_(digits) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (value.is_undefined()) return false;
    std::string text;
    append_stringified(value, text, digits_);
    const std::size_t before = out.size();
    append_json_string(text, out);
    check_growth(out.size() - before, value.token().size());
    return true;
  }

 private:
  NodePtr value_;
  Digits digits_;
};

std::string_view without_blanks(std::string_view json) {
  const std::size_t begin = json.find_first_not_of(" \t\r\n");
  return json.substr(begin, json.find_last_not_of(" \t\r\n") + 1 - begin);
}

// A text that is no JSON, and what is no text, stays as it is.
class DecodeNode final : public Node {
 public:
  explicit DecodeNode(NodePtr value) : value_(std::move(value)) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (!value.is_string()) return FindingNode::append_found(value, scope, out);
    const std::string text = value.string();
    switch (check_json(text)) {
      case JsonText::invalid:
        return FindingNode::append_found(value, scope, out);
      case JsonText::too_deep:
        throw EventFault{"E405", "@json: the text is nested deeper than 1024 levels"};
      case JsonText::valid:
        break;
    }
    std::string json;
    append_surrogates_escaped(without_blanks(text), json);
    return FindingNode::append_found(Value(json), scope, out);
  }

 private:
  NodePtr value_;
};

// Another mode gives nothing; the value is still resolved, which may fail for an event.
class OtherModeNode final : public Node {
 public:
  explicit OtherModeNode(NodePtr value) : value_(std::move(value)) {}
  bool write(const Scope& scope, std::string&) const override {
    std::string scratch;
    value_->value(scope, scratch);
    return false;
  }

 private:
  NodePtr value_;
};

bool is_known_mode(const Json& mode) {
  if (!mode.is_string()) return false;
  auto word = mode.get<std::string>();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "encode" || word == "decode";
}

}  // namespace

NodePtr compile_json(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@json", argument, path, {"mode", "value"});
  if (!options) return nullptr;
  bool right = options.needs_truthy("mode", "\"encode\" or \"decode\"");
  if (right && compiler.looks_closely() && !is_known_mode(options["mode"])) {
    right = options.one_of("mode", {"encode", "decode"});
  }
  right = options.needs_truthy("value", "wrap a literal: {\"@literal\": 0}") && right;
  NodePtr value = options.compile("value");
  if (!right) return nullptr;
  if (options.is("mode", "encode"))
    return std::make_unique<EncodeNode>(std::move(value), compiler.digits());
  if (options.is("mode", "decode")) return std::make_unique<DecodeNode>(std::move(value));
  compiler.warn("E234", "\"mode\" is compared letter by letter, so this one gives nothing",
                options.at("mode"), "write \"encode\" or \"decode\"");
  return std::make_unique<OtherModeNode>(std::move(value));
}

}  // namespace fieldpost
