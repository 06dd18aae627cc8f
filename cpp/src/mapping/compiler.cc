#include "mapping/compiler.h"

#include <utility>

#include "base/text.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

constexpr int kDeepest = 256;

bool is_directive_key(std::string_view key) {
  return key.starts_with('@') && !key.starts_with("@@");
}

bool has_directive_key(const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (is_directive_key(key)) return true;
  }
  return false;
}

class Constant final : public Node {
 public:
  explicit Constant(std::string json) : json_(std::move(json)) {}
  bool write(const Scope&, std::string& out) const override {
    out += json_;
    return true;
  }
  Value value(const Scope&, std::string&) const override { return Value(json_); }

 private:
  std::string json_;
};

class Object final : public Node {
 public:
  void add(std::string_view key, NodePtr node) {
    std::string head;
    append_json_string(key, head);
    members_.emplace_back(head + ":", std::move(node));
  }
  // A member without a value disappears; an object that loses all stays {}.
  bool write(const Scope& scope, std::string& out) const override {
    out.push_back('{');
    const std::size_t first = out.size();
    for (const auto& [head, node] : members_) {
      const std::size_t before = out.size();
      if (before > first) out.push_back(',');
      out += head;
      if (!node->write(scope, out)) out.resize(before);
    }
    out.push_back('}');
    return true;
  }

 private:
  std::vector<std::pair<std::string, NodePtr>> members_;
};

class Array final : public Node {
 public:
  void add(NodePtr node) { elements_.push_back(std::move(node)); }
  // An element without a value keeps its place as null.
  bool write(const Scope& scope, std::string& out) const override {
    out.push_back('[');
    bool first = true;
    for (const NodePtr& element : elements_) {
      if (!std::exchange(first, false)) out.push_back(',');
      if (!element->write(scope, out)) out += "null";
    }
    out.push_back(']');
    return true;
  }

 private:
  std::vector<NodePtr> elements_;
};

}  // namespace

bool is_directive(const Json& expression) {
  return expression.is_object() && has_directive_key(expression);
}

std::string type_name(const Json& value) {
  if (value.is_number()) return "number";
  return value.type_name();
}

bool is_truthy_literal(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return true;
}

void Compiler::mistake(std::string code, std::string message, const std::string& path,
                       std::string hint) {
  mistakes_.push_back({std::move(code), std::move(message), path, std::move(hint), 0, 0});
}

NodePtr Compiler::compile(const Json& expression, const std::string& path) {
  if (depth_ >= kDeepest) {
    mistake("E206", "nested deeper than 256 levels", path);
    return nullptr;
  }
  ++depth_;
  NodePtr node;
  if (is_directive(expression)) {
    node = directive(expression, path);
  } else if (expression.is_object()) {
    node = object(expression, path);
  } else if (expression.is_array()) {
    node = array(expression, path);
  } else {
    node = std::make_unique<Constant>(expression.dump());
  }
  --depth_;
  return node;
}

NodePtr Compiler::compile_for_item(const Json& expression, const std::string& path) {
  const bool outside = std::exchange(in_item_, true);
  NodePtr node = compile(expression, path);
  in_item_ = outside;
  return node;
}

Reach Compiler::reach(Path path) {
  const std::uint32_t slot = in_item_ ? 0 : selection_.slot(path);
  return {std::move(path), slot};
}

NodePtr Compiler::directive(const Json& object, const std::string& path) {
  std::string name;
  for (const auto& [key, value] : object.items()) {
    if (key == "_metadata") continue;
    if (is_directive_key(key) && name.empty()) {
      name = key;
      continue;
    }
    mistake("E202", "a directive stands alone, but \"" + key + "\" is beside it", path,
            "move \"" + key + "\" out; a body key that begins with @ is written @@");
    return nullptr;
  }
  const DirectiveRow* row = find_directive(name);
  if (row == nullptr) {
    const std::string near = did_you_mean(name, directive_names());
    mistake("E201", "unknown directive \"" + name + "\"", path,
            near.empty() ? "" : "did you mean \"" + near + "\"?");
    return nullptr;
  }
  return row->compile(*this, object.at(name), path + "." + name);
}

NodePtr Compiler::object(const Json& object, const std::string& path) {
  auto node = std::make_unique<Object>();
  for (const auto& [key, value] : object.items()) {
    NodePtr member = compile(value, path + "." + key);
    node->add(key.starts_with("@@") ? std::string_view(key).substr(1) : key, std::move(member));
  }
  return node;
}

NodePtr Compiler::array(const Json& array, const std::string& path) {
  auto node = std::make_unique<Array>();
  for (std::size_t i = 0; i < array.size(); ++i) {
    node->add(compile(array[i], path + "[" + std::to_string(i) + "]"));
  }
  return node;
}

}  // namespace fieldpost
