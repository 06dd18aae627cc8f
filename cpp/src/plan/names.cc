#include "plan/names.h"

#include "base/text.h"

namespace fieldpost {

void Names::add(Value event) { add(root_, event, 0); }

void Names::merge(const Names& later) { merge(root_, later.root_); }

void Names::add(Node& node, Value value, std::size_t depth) {
  ++node.count;
  node.kinds |= 1U << static_cast<unsigned>(value.kind());
  if (depth == kDeepest) return;
  if (value.kind() == Value::Kind::object) {
    std::string_view inside;
    std::string key;
    Value below;
    for (Members members(value); members.next(inside, below);) {
      key.clear();
      append_unescaped(inside, key);
      if (Node* known = member(node, key)) add(*known, below, depth + 1);
    }
  } else if (value.kind() == Value::Kind::array) {
    if (!node.items) node.items = std::make_unique<Node>();
    std::size_t seen = 0;
    Value item;
    for (Elements items(value); seen < kItems && items.next(item); ++seen) {
      add(*node.items, item, depth + 1);
    }
  }
}

Names::Node* Names::member(Node& node, std::string_view key) {
  const auto known = node.in.find(key);
  if (known != node.in.end()) return &known->second;
  const bool has_room = size_ < kMost && node.in.size() < kMostMembers && key.size() <= kLongest;
  if (!has_room) return nullptr;
  ++size_;
  return &node.in[std::string(key)];
}

void Names::merge(Node& node, const Node& later) {
  node.count += later.count;
  node.kinds |= later.kinds;
  for (const auto& [key, below] : later.in) {
    if (Node* known = member(node, key)) merge(*known, below);
  }
  if (!later.items) return;
  if (!node.items) node.items = std::make_unique<Node>();
  merge(*node.items, *later.items);
}

void Names::append_json(std::string& out) const { append_json(root_, out); }

void Names::append_json(const Node& node, std::string& out) {
  out += "{\"count\":" + std::to_string(node.count) + ",\"types\":[";
  bool first = true;
  for (unsigned kind = 0; kind <= static_cast<unsigned>(Value::Kind::object); ++kind) {
    if ((node.kinds >> kind & 1U) == 0) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(kind_name(static_cast<Value::Kind>(kind)), out);
  }
  out += ']';
  if (!node.in.empty()) {
    out += ",\"in\":{";
    for (const auto& [key, below] : node.in) {
      if (out.back() != '{') out += ',';
      append_json_string(key, out);
      out += ':';
      append_json(below, out);
    }
    out += '}';
  }
  if (node.items) {
    out += ",\"items\":";
    append_json(*node.items, out);
  }
  out += '}';
}

}  // namespace fieldpost
