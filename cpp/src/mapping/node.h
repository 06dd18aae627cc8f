// One compiled expression of a mapping. Immutable.
#pragma once

#include <memory>
#include <string>

#include "event/selection.h"
#include "event/value.h"

namespace fieldpost {

// What `$.` means: the event, or one item of an @arrayPath.
class Scope {
 public:
  explicit Scope(const Slots& slots) : slots_(&slots) {}
  explicit Scope(Value item) : item_(item) {}

  bool is_event() const { return slots_ != nullptr; }
  const Slots& slots() const { return *slots_; }
  Value item() const { return item_; }

 private:
  const Slots* slots_ = nullptr;
  Value item_;
};

class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  // Appends the JSON; false and nothing appended where it is undefined.
  virtual bool write(const Scope& scope, std::string& out) const = 0;

  // The same to compute with. Lives as long as the event and `scratch`.
  virtual Value value(const Scope& scope, std::string& scratch) const {
    scratch.clear();
    return write(scope, scratch) ? Value(scratch) : Value();
  }
};

using NodePtr = std::unique_ptr<const Node>;

// A path, compiled for the scope it stands in.
class Reach {
 public:
  Reach(Path path, std::uint32_t slot) : path_(std::move(path)), slot_(slot) {}

  Value find(const Scope& scope, std::string& scratch) const {
    return scope.is_event() ? scope.slots().value(slot_, scratch)
                            : scope.item().follow(path_, 0, scratch);
  }

 private:
  Path path_;
  std::uint32_t slot_;  // in the event's selection; unused in an item
};

}  // namespace fieldpost
