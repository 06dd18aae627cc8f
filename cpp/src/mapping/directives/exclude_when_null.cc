// {"@excludeWhenNull": …}: null becomes undefined; in objects, members that are null go as well.
#include "event/object.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

// Lists and what is in them are left alone.
void append_without_nulls(Value value, std::string& out) {
  if (value.kind() != Value::Kind::object) {
    out += value.token();
    return;
  }
  ObjectText kept;
  for (const Member& member : members_of(value)) {
    if (member.value.kind() == Value::Kind::null) continue;
    std::string json;
    append_without_nulls(member.value, json);
    kept.put(member.key, json);
  }
  kept.write(out);
}

class ExcludeWhenNullNode final : public Node {
 public:
  explicit ExcludeWhenNullNode(NodePtr value) : value_(std::move(value)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (value.is_nothing()) return false;
    std::string json;
    append_without_nulls(value, json);
    return FindingNode::append_found(Value(json), scope, out);
  }

 private:
  NodePtr value_;
};

}  // namespace

NodePtr compile_exclude_when_null(Compiler& compiler, const Json& argument,
                                  const std::string& path) {
  return std::make_unique<ExcludeWhenNullNode>(compiler.compile_loosely(argument, path));
}

}  // namespace fieldpost
