#include "mapping/shape.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "fieldpost/mapping.h"
#include "mapping/compiler.h"

namespace fieldpost {
namespace {

class Constant final : public PuttingNode {
 public:
  explicit Constant(std::string json) : json_(std::move(json)) {}
  bool put(const Scope&, Writer& writer) const override {
    writer.put(json_);
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
  members_.push_back({std::move(key), WideText(head + ":"), std::move(node)});
}

void ObjectNode::finish() {
  std::stable_sort(members_.begin(), members_.end(), [](const Part& left, const Part& right) {
    return comes_first(left.key, right.key);
  });
}

bool ObjectNode::put(const Scope& scope, Writer& writer) const {
  const Part* at = nullptr;
  try {
    return put_members(scope, writer, at);
  } catch (EventFault& fault) {
    fault.place = member_path("", at->key) + fault.place;
    throw;
  }
}

// A member without a value disappears; an object that loses all stays {}.
bool ObjectNode::put_members(const Scope& scope, Writer& writer, const Part*& at) const {
  writer.put('{');
  const std::size_t first = writer.size();
  for (const Part& member : members_) {
    const std::size_t before = writer.size();
    at = &member;
    member.head.put(writer, before == first ? 1 : 0);
    if (member.node->put(scope, writer)) continue;
    if (scope.is_computing()) {
      writer.put('u');
    } else {
      writer.cut(before);
    }
  }
  writer.put('}');
  return true;
}

// An element without a value keeps its place as null.
bool ListNode::put(const Scope& scope, Writer& writer) const {
  writer.put('[');
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    if (i > 0) writer.put(',');
    try {
      if (!elements_[i]->put(scope, writer)) writer.put(scope.is_computing() ? "u" : "null");
    } catch (EventFault& fault) {
      fault.place = "[" + std::to_string(i) + "]" + fault.place;
      throw;
    }
  }
  writer.put(']');
  return true;
}

}  // namespace fieldpost
