// The names that events have: a tree of keys, bounded, for whoever looks for the one that was
// meant.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "event/value.h"

namespace fieldpost {

class Names {
 public:
  static constexpr std::size_t kMost = 4000;        // keys in all
  static constexpr std::size_t kMostMembers = 500;  // keys of one object
  static constexpr std::size_t kLongest = 100;      // bytes of a key
  static constexpr std::size_t kDeepest = 12;
  static constexpr std::size_t kItems = 8;  // of a list that are looked at

  void add(Value event);
  void merge(const Names& later);
  std::size_t size() const { return size_; }

  // {"count": n, "types": ["object"], "in": {key: {…}}, "items": {…}}; what is empty is left out.
  void append_json(std::string& out) const;

 private:
  struct Node {
    std::uint64_t count = 0;
    unsigned kinds = 0;  // one bit for each Value::Kind
    std::map<std::string, Node, std::less<>> in;
    std::unique_ptr<Node> items;  // of a list
  };

  void add(Node& node, Value value, std::size_t depth);
  void merge(Node& node, const Node& later);
  Node* member(Node& node, std::string_view key);  // null where there is no room for another
  static void append_json(const Node& node, std::string& out);

  Node root_;
  std::size_t size_ = 0;
};

}  // namespace fieldpost
