// The paths that a plan reads, merged into one trie, each with a slot.
//
// Built while filters and mappings compile, then only read: a finished selection is shared between
// threads. Slots are what one walk of one event filled in; one thread's own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/path.h"
#include "event/value.h"

namespace fieldpost {

class Selection {
 public:
  struct Node {
    std::string key;
    std::uint32_t id = 0;
    std::int32_t slot = -1;
    std::vector<std::unique_ptr<Node>> children;
    std::vector<std::uint32_t> below;  // slots of all descendants
    std::uint32_t depth = 0;
  };

  Selection();

  // The slot of that path; the same path has one slot. The empty path is the whole event.
  std::uint32_t slot(const Path& path);

  const Node& root() const { return *root_; }
  const Path& path(std::uint32_t slot) const { return paths_[slot]; }
  std::size_t slots() const { return paths_.size(); }
  std::size_t nodes() const { return nodes_; }

 private:
  std::unique_ptr<Node> root_;
  std::vector<Path> paths_;
  std::uint32_t nodes_ = 1;
};

class Slots {
 public:
  explicit Slots(const Selection& selection)
      : selection_(selection), found_(selection.slots()), seen_(selection.nodes()) {}

  // The value of a path in this event. `scratch` holds what had to be computed (a length, one unit
  // of a string); the value lives as long as both the line and `scratch`.
  Value value(std::uint32_t slot, std::string& scratch) const {
    const Found& found = found_[slot];
    const Path& path = selection_.path(slot);
    const Value value(found.token);
    return found.depth == path.size() ? value : value.follow(path, found.depth, scratch);
  }

  void clear();  // before each line
  // A key of the event that is on the way to some path. True: it came before in this object.
  bool visit(const Selection::Node& node);
  void forget(const Selection::Node& node);  // all that was found below it
  void put(std::uint32_t slot, std::string_view token, std::uint32_t depth) {
    found_[slot] = Found{token, depth};
  }

 private:
  // A token found after following `depth` keys of the path; the rest is followed when asked for.
  struct Found {
    std::string_view token;
    std::uint32_t depth = 0;
  };

  const Selection& selection_;
  std::vector<Found> found_;
  std::vector<std::uint64_t> seen_;  // the walk that saw a node last
  std::uint64_t walk_ = 0;
};

}  // namespace fieldpost
