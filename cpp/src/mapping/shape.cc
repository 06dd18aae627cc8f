#include "mapping/shape.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace fieldpost {
namespace {

class Constant final : public Node {
 public:
  explicit Constant(std::string json) : json_(std::move(json)) {}
  bool write(const Scope&, std::string& out) const override {
    out += json_;
    return true;
  }
  Value value(const Scope&, std::string&) const override { return Value(json_); }
  bool is_constant() const override { return true; }

 private:
  std::string json_;
};

class Nothing final : public Node {
 public:
  bool write(const Scope&, std::string&) const override { return false; }
};

}  // namespace

NodePtr constant(std::string json) { return std::make_unique<Constant>(std::move(json)); }

NodePtr nothing() { return std::make_unique<Nothing>(); }

bool write_object(const ObjectText& object, const Scope& scope, std::string& out) {
  std::string json;
  object.write(json);
  return FindingNode::append_found(Value(json), scope, out);
}

void ObjectNode::add(std::string key, NodePtr node) {
  std::string head = ",";
  append_json_string(key, head);
  members_.push_back({std::move(key), head + ":", std::move(node)});
}

void ObjectNode::finish() {
  std::stable_sort(members_.begin(), members_.end(), [](const Part& left, const Part& right) {
    return comes_first(left.key, right.key);
  });
}

// A member without a value disappears; an object that loses all stays {}.
bool ObjectNode::write(const Scope& scope, std::string& out) const {
  out.push_back('{');
  const std::size_t first = out.size();
  for (const Part& member : members_) {
    const std::size_t before = out.size();
    out += std::string_view(member.head).substr(before == first ? 1 : 0);
    if (member.node->write(scope, out)) continue;
    if (scope.is_computing()) {
      out.push_back('u');
    } else {
      out.resize(before);
    }
  }
  out.push_back('}');
  return true;
}

// An element without a value keeps its place as null.
bool ListNode::write(const Scope& scope, std::string& out) const {
  out.push_back('[');
  bool first = true;
  for (const NodePtr& element : elements_) {
    if (!std::exchange(first, false)) out.push_back(',');
    if (!element->write(scope, out)) out += scope.is_computing() ? "u" : "null";
  }
  out.push_back(']');
  return true;
}

}  // namespace fieldpost
