// {"@uuid": [part, …]}: a UUID made from the parts (RFC 9562, version 5). Same parts, same id.
//
// The name that is hashed is the JSON list of the parts' texts, so ["a","bc"] and ["ab","c"]
// differ. A part that is missing or null makes the whole undefined: an id of half a name would be
// somebody else's.
#include "base/uuid.h"

#include "base/number.h"
#include "base/text.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

class UuidNode final : public Node {
 public:
  UuidNode(std::string space, std::vector<NodePtr> parts)
      : space_(std::move(space)), parts_(std::move(parts)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string name = "[";
    for (const NodePtr& part : parts_) {
      std::string scratch;
      const Value value = part->value(scope, scratch);
      if (value.is_nothing()) return false;
      if (name.size() > 1) name.push_back(',');
      append_part(value, name);
    }
    append_json_string(uuid5(space_, name + "]"), out);
    return true;
  }

 private:
  // A number goes in with all of its digits, so two ids beyond 2^53 stay two, and with one text
  // however it is written.
  static void append_part(Value value, std::string& name) {
    switch (value.kind()) {
      case Value::Kind::string:
        append_json_string(value.string(), name);
        return;
      case Value::Kind::number:
        append_json_string(number_key(value.token()), name);
        return;
      case Value::Kind::boolean:
        append_json_string(value.token(), name);
        return;
      default:
        throw EventFault{"E407", std::string("@uuid expects texts and numbers as parts, got ") +
                                     kind_name(value.kind())};
    }
  }

  std::string space_;
  std::vector<NodePtr> parts_;
};

}  // namespace

NodePtr compile_uuid(Compiler& compiler, const Json& argument, const std::string& path) {
  const Json wrapped = argument.is_array() ? Json{{"parts", argument}} : argument;
  const Options options(compiler, "@uuid", wrapped, path, {"parts", "namespace"},
                        Origin::fieldpost);
  if (!options || !options.needs("parts")) return nullptr;
  const Json& listed = options["parts"];
  if (!listed.is_array() || listed.empty()) {
    options.wrong("parts", "a list with at least one part");
    return nullptr;
  }
  std::string space(kFieldpostNamespace);
  if (options.has("namespace")) {
    if (!options.text("namespace")) return nullptr;
    space = options["namespace"].get<std::string>();
    if (!is_uuid(space)) {
      options.wrong("namespace", "a UUID");
      return nullptr;
    }
  }
  std::vector<NodePtr> parts;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const std::string list = argument.is_array() ? path : options.at("parts");
    parts.push_back(compiler.compile_key(listed[i], list + "[" + std::to_string(i) + "]"));
  }
  return std::make_unique<UuidNode>(std::move(space), std::move(parts));
}

}  // namespace fieldpost
