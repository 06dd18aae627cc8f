// {"@flatten": {"value": …, "separator": "."}}: nested objects and lists as one object of "a.b"
// keys.
#include "event/object.h"
#include "mapping/directives.h"
#include "mapping/options.h"
#include "mapping/shape.h"

namespace fieldpost {
namespace {

class FlattenNode final : public Node {
 public:
  FlattenNode(NodePtr value, std::string separator, bool keeps_lists)
      : value_(std::move(value)), separator_(std::move(separator)), keeps_lists_(keeps_lists) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    ObjectText flat;
    const Value value = value_->value(scope, scratch);
    // Undefined is a member that hides another in @merge, and then disappears.
    add("", value.is_undefined() ? Value("u") : value, flat);
    return write_object(flat, scope, out);
  }

 private:
  void add(const std::string& key, Value value, ObjectText& flat) const {
    const Value::Kind kind = value.kind();
    if (kind == Value::Kind::object) {
      for (const Member& member : members_of(value))
        add(below(key, member.key), member.value, flat);
    } else if (kind == Value::Kind::array && !keeps_lists_) {
      std::size_t index = 0;
      Value element;
      for (Elements elements(value); elements.next(element);) {
        add(below(key, std::to_string(index++)), element, flat);
      }
    } else {
      flat.put(key, value.token());
    }
  }

  // Below an empty key there is no separator, as in the reference.
  std::string below(const std::string& prefix, const std::string& key) const {
    return prefix.empty() ? key : prefix + separator_ + key;
  }

  NodePtr value_;
  std::string separator_;
  bool keeps_lists_;
};

}  // namespace

NodePtr compile_flatten(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@flatten", argument, path, {"value", "separator", "omitArrays"});
  if (!options) return nullptr;
  bool right = options.needs_truthy("separator", "for example \".\"") && options.text("separator");
  if (compiler.looks_closely()) right = options.needs("value") && right;
  NodePtr value = options.compile("value");
  if (!right) return nullptr;
  if (options.has("omitArrays") && !options["omitArrays"].is_boolean()) {
    compiler.warn("E233", "\"omitArrays\" counts as true for anything but 0, \"\", false and null",
                  options.at("omitArrays"), "write true or false");
  }
  return std::make_unique<FlattenNode>(value ? std::move(value) : nothing(),
                                       options["separator"].get<std::string>(),
                                       options.is_truthy("omitArrays"));
}

}  // namespace fieldpost
