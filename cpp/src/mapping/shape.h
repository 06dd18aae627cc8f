// What stands for itself in a mapping: constants, objects and lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "event/object.h"
#include "mapping/node.h"

namespace fieldpost {

NodePtr constant(std::string json);
NodePtr nothing();  // always undefined

// For nodes that put an object together; always true.
bool write_object(const ObjectText& object, const Scope& scope, std::string& out);

class ObjectNode final : public PuttingNode {
 public:
  void add(std::string key, NodePtr node);
  void finish();  // after the last add: JavaScript's order of keys

  bool put(const Scope& scope, Writer& writer) const override;

 private:
  struct Part {
    std::string key;
    WideText head;  // ",\"key\":"
    NodePtr node;
  };
  bool put_members(const Scope& scope, Writer& writer, const Part*& at) const;

  std::vector<Part> members_;
};

class ListNode final : public PuttingNode {
 public:
  void add(NodePtr node) { elements_.push_back(std::move(node)); }
  bool put(const Scope& scope, Writer& writer) const override;

 private:
  std::vector<NodePtr> elements_;
};

}  // namespace fieldpost
