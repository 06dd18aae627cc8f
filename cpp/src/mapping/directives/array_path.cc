// {"@arrayPath": ["$.properties.products", {"sku": {"@path": "$.id"}}]}: a list, each item mapped.
//
// Inside the shape "$." is the item. A single object counts as a list of one; what is neither list
// nor object is passed on unchanged. Where the list is a path of the event, the walk has already
// read what the shape asks of each item: the items are then rows. Else they are values.
#include <utility>

#include "event/path.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/shape.h"

namespace fieldpost {
namespace {

// Elements of a list, with commas between them and null for what is undefined.
class ListText {
 public:
  ListText(const Scope& scope, Writer& writer)
      : missing_(scope.is_computing() ? "u" : "null"), writer_(writer) {
    writer_.put('[');
  }
  void add(const Node& shape, const Scope& item) {
    if (count_ > 0) writer_.put(',');
    try {
      if (!shape.put(item, writer_)) writer_.put(missing_);
    } catch (EventFault& fault) {
      fault.place = "[" + std::to_string(count_) + "]" + fault.place;
      throw;
    }
    ++count_;
  }
  void end() { writer_.put(']'); }

 private:
  const char* missing_;
  Writer& writer_;
  std::size_t count_ = 0;
};

void put_values(const Node& shape, Value list, const Scope& scope, Writer& writer) {
  ListText text(scope, writer);
  if (list.kind() == Value::Kind::object) {
    text.add(shape, scope.at(list));
  } else {
    Value item;
    for (Elements elements(list); elements.next(item);) text.add(shape, scope.at(item));
  }
  text.end();
}

bool put_mapped(const Node& shape, Value list, const Scope& scope, Writer& writer) {
  if (list.kind() != Value::Kind::array && list.kind() != Value::Kind::object) {
    return writer.in_string(
        [&](std::string& out) { return FindingNode::append_found(list, scope, out); });
  }
  put_values(shape, list, scope, writer);
  return true;
}

// The list is a path, read by the walk.
class ReadListNode final : public PuttingNode {
 public:
  ReadListNode(Reach list, const Selection& items, NodePtr shape)
      : list_(std::move(list)), items_(items), shape_(std::move(shape)) {}

  bool put(const Scope& scope, Writer& writer) const override {
    if (!scope.row() || !scope.row()->has_items(list_.slot)) {
      std::string scratch;
      return put_mapped(*shape_, scope.find(list_, scratch), scope, writer);
    }
    const Row& row = *scope.row();
    const std::uint32_t items = row.items(list_.slot);
    ListText text(scope, writer);
    for (std::uint32_t i = 0; i < items; ++i) {
      text.add(*shape_, scope.at(row.item(items_, list_.slot, i)));
    }
    text.end();
    return true;
  }

 private:
  Reach list_;
  const Selection& items_;
  NodePtr shape_;
};

// The list is whatever an expression gives.
class ComputedListNode final : public PuttingNode {
 public:
  ComputedListNode(NodePtr list, NodePtr shape)
      : list_(std::move(list)), shape_(std::move(shape)) {}

  bool put(const Scope& scope, Writer& writer) const override {
    std::string scratch;
    return put_mapped(*shape_, list_->value(scope, scratch), scope, writer);
  }

 private:
  NodePtr list_;
  NodePtr shape_;
};

bool is_shape(const Json& argument) {
  return argument.size() > 1 && argument[1].is_object() && !argument[1].empty();
}

NodePtr compile_list(Compiler& compiler, const Json& list, const std::string& path) {
  if (list.is_string()) return compile_path(compiler, list, path);
  if (!compiler.looks_closely() || has_directive_key(list)) return compiler.compile(list, path);
  compiler.mistake("E203", "@arrayPath expects a path or a directive first, got " + type_name(list),
                   path, "for example \"$.properties.products\"");
  return nullptr;
}

}  // namespace

NodePtr compile_array_path(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_array() || argument.empty()) {
    compiler.mistake("E203", "@arrayPath expects a list [path, shape], got " + type_name(argument),
                     path,
                     "for example [\"$.properties.products\", {\"sku\": {\"@path\": \"$.id\"}}]");
    return nullptr;
  }
  NodePtr list = compile_list(compiler, argument[0], path + "[0]");
  const std::string at = path + "[1]";
  if (!is_shape(argument)) {
    if (argument.size() > 1) {
      compiler.warn("E232",
                    "a shape that is no object, or an empty one, is ignored: the list is passed on "
                    "as it is",
                    at, "write an object, or leave the shape out");
    }
    return list;
  }
  if (!argument[0].is_string() || !compiler.reads_rows()) {
    NodePtr shape = compiler.compile_for_value_item(argument[1], at, list.get());
    return std::make_unique<ComputedListNode>(std::move(list), std::move(shape));
  }
  Reach read = compiler.reach(parse_directive_path(argument[0].get<std::string>()), Taken::as_list);
  const Selection& items = compiler.selection().items(read.slot);
  NodePtr shape = compiler.compile_for_item(argument[1], at, read.slot);
  return std::make_unique<ReadListNode>(std::move(read), items, std::move(shape));
}

}  // namespace fieldpost
