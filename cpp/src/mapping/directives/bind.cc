// {"@bind": {"table": "contact", "key": …}}: a row that is there already, for a lookup of Dynamics
// 365, which makes the reference of it. Always there; without a key it means no row.
//
// A key that the document writes as one directive is one value: an event whose value is an object
// cannot choose the columns that a row is looked up by.
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

class BindNode final : public Node {
 public:
  BindNode(std::string before, NodePtr key, bool key_is_value)
      : before_(std::move(before)), key_(std::move(key)), key_is_value_(key_is_value) {}

  bool write(const Scope& scope, std::string& out) const override {
    out += before_;
    const std::size_t begin = out.size();
    out += ",\"key\":";
    const std::size_t at = out.size();
    if (!key_->write(scope, out)) out.resize(begin);
    const bool is_structured = out.size() > at && (out[at] == '{' || out[at] == '[');
    if (key_is_value_ && is_structured) {
      throw EventFault{"E407", "@bind expects one value as key, got an object or a list"};
    }
    out += "}}";
    return true;
  }

 private:
  std::string before_;
  NodePtr key_;
  bool key_is_value_;
};

}  // namespace

NodePtr compile_bind(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@bind", argument, path, {"table", "key"}, Origin::fieldpost);
  if (!options) return nullptr;
  bool right = options.needs("table");
  right = options.needs("key") && right;
  if (right && !options["table"].is_string()) {
    options.wrong("table", "the name of a table");
    right = false;
  }
  NodePtr key =
      options.has("key") ? compiler.compile_key(options["key"], options.at("key")) : nullptr;
  if (!right) return nullptr;
  const Json& written = options["key"];
  const bool is_value = !written.is_object() || has_directive_key(written);
  return std::make_unique<BindNode>("{\"@bind\":{\"table\":" + options["table"].dump(),
                                    std::move(key), is_value);
}

}  // namespace fieldpost
