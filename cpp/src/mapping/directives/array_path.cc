// {"@arrayPath": ["$.properties.products", {"sku": {"@path": "$.id"}}]}: a list, each item mapped.
//
// Inside the shape "$." is the item. A single object counts as a list of one; what is neither list
// nor object is passed on unchanged.
#include <utility>

#include "mapping/directives.h"

namespace fieldpost {
namespace {

class ArrayPathNode final : public Node {
 public:
  ArrayPathNode(NodePtr list, NodePtr shape) : list_(std::move(list)), shape_(std::move(shape)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value list = list_->value(scope, scratch);
    const Value::Kind kind = list.kind();
    const bool many = kind == Value::Kind::array;
    if (!shape_ || (!many && kind != Value::Kind::object)) {
      list.append_json(out);
      return !list.is_undefined();
    }
    out.push_back('[');
    bool first = true;
    const auto write_item = [&](Value item) {
      if (!std::exchange(first, false)) out.push_back(',');
      if (!shape_->write(Scope(item), out)) out += "null";
      return true;
    };
    if (many) {
      list.each_element(write_item);
    } else {
      write_item(list);
    }
    out.push_back(']');
    return true;
  }

 private:
  NodePtr list_;
  NodePtr shape_;  // null: the list as it is
};

bool is_shape(const Json& argument) {
  return argument.size() > 1 && argument[1].is_object() && !argument[1].empty();
}

}  // namespace

NodePtr compile_array_path(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_array() || argument.empty()) {
    compiler.mistake("E203", "@arrayPath expects a list [path, shape], got " + type_name(argument),
                     path,
                     "for example [\"$.properties.products\", {\"sku\": {\"@path\": \"$.id\"}}]");
    return nullptr;
  }
  const std::string at = path + "[0]";
  NodePtr list = argument[0].is_string() ? compile_path(compiler, argument[0], at)
                                         : compiler.compile(argument[0], at);
  NodePtr shape;
  if (is_shape(argument)) shape = compiler.compile_for_item(argument[1], path + "[1]");
  return std::make_unique<ArrayPathNode>(std::move(list), std::move(shape));
}

}  // namespace fieldpost
