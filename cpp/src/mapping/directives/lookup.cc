// {"@lookup": {"value": …, "table": {"DE": "Germany"}, "on_miss": "error"}}: what a table says.
#include <unordered_map>

#include "base/number.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/failure.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

using Table = std::unordered_map<std::string, NodePtr>;

class LookupNode final : public Node {
 public:
  LookupNode(NodePtr value, Table table, NodePtr otherwise, Failure failure)
      : value_(std::move(value)),
        table_(std::move(table)),
        otherwise_(std::move(otherwise)),
        failure_(failure) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (const Node* found = find(value)) return found->write(scope, out);
    if (otherwise_) return otherwise_->write(scope, out);
    return write_failure(failure_, "@lookup: the table does not have the value of this event", out);
  }

 private:
  // Texts as they are, the rest as it stands; a number that the table does not have as it is
  // written by its one text.
  const Node* find(Value value) const {
    if (value.is_undefined()) return nullptr;
    auto hit = table_.find(value.is_string() ? value.string() : std::string(value.token()));
    if (hit == table_.end() && value.kind() == Value::Kind::number) {
      hit = table_.find(number_key(value.token()));
    }
    return hit == table_.end() ? nullptr : hit->second.get();
  }

  NodePtr value_;
  Table table_;
  NodePtr otherwise_;
  Failure failure_;
};

}  // namespace

NodePtr compile_lookup(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@lookup", argument, path,
                        {"value", "table", "on_miss", "default"}, Origin::fieldpost);
  if (!options) return nullptr;
  bool right = options.needs("value");
  right = options.needs("table") && right;
  right = options.one_of("on_miss", {"error", "null", "omit"}) && right;
  if (options.has("on_miss") && options.has("default")) {
    compiler.mistake("E203", "@lookup takes \"on_miss\" or \"default\", not both", path);
  }
  if (right && (!options["table"].is_object() || has_directive_key(options["table"]))) {
    options.wrong("table", "an object of keys and values");
    right = false;
  }
  NodePtr value =
      options.has("value") ? compiler.compile_key(options["value"], options.at("value")) : nullptr;
  NodePtr otherwise = options.compile("default");
  if (!right) return nullptr;
  Table table;
  for (const auto& [key, entry] : options["table"].items()) {
    table.emplace(key, compiler.compile(entry, member_path(options.at("table"), key)));
  }
  return std::make_unique<LookupNode>(std::move(value), std::move(table), std::move(otherwise),
                                      failure_of(options, "on_miss"));
}

}  // namespace fieldpost
