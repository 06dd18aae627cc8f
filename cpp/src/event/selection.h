// The paths that a plan reads, merged into one trie; and what one walk of an event found for them.
//
// A selection is built while filters and mappings compile and only read afterwards: share it
// between threads. Slots are one thread's own. Where a list is mapped item by item, its node
// carries a selection of its own for the items, and each item becomes a row of cells like the event
// itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
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
    std::uint32_t slot = 0;  // every node has one: the cell of a row that its value goes to
    std::uint32_t depth = 0;
    bool asked = false;  // else only on the way
    std::vector<Node*> children;
    std::vector<Node*> below;  // all descendants
    std::unique_ptr<Selection> items;
  };

  Selection();
  Selection(const Selection&) = delete;
  Selection& operator=(const Selection&) = delete;

  // The slot of that path; the same path has one slot. The empty path is the whole (slot 0).
  std::uint32_t slot(const Path& path);
  // What is read of each item, where the value in `slot` is a list.
  Selection& items(std::uint32_t slot);

  // The paths that were asked for, as text, sorted: "$.a['b.c']", of items "$.list[].d".
  std::vector<std::string> asked() const;

  const Node& root() const { return nodes_.front(); }
  const Path& path(std::uint32_t slot) const { return paths_[slot]; }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(nodes_.size()); }
  // Selections are numbered within the one of the event, which is 0 and knows them all.
  std::uint32_t number() const { return number_; }
  const std::vector<const Selection*>& all() const { return *all_; }

 private:
  void append_asked(const std::string& prefix, std::vector<std::string>& paths) const;

  explicit Selection(std::shared_ptr<std::vector<const Selection*>> all);

  std::deque<Node> nodes_;  // by slot; a deque keeps them where they are
  std::vector<Path> paths_;
  std::shared_ptr<std::vector<const Selection*>> all_;
  std::uint32_t number_;
};

// A token found after following `depth` keys of its path; the rest is followed when asked for.
struct Found {
  std::string_view token;
  std::uint32_t depth = 0;
  // Of a list that was read item by item: its rows, in the table of the items' selection.
  std::uint32_t first_row = 0;
  std::uint32_t rows = kNotRead;

  static constexpr std::uint32_t kNotRead = UINT32_MAX;
};

class Slots;

// What was found for one event, or for one item of a list. Lives as long as its Slots.
class Row {
 public:
  Row(const Slots& slots, const Selection& selection, const Found* cells)
      : slots_(&slots), selection_(&selection), cells_(cells) {}

  // `scratch` holds what had to be computed (a length, one unit of a string); the value lives as
  // long as both the line and `scratch`.
  Value value(std::uint32_t slot, std::string& scratch) const {
    const Found& found = cells_[slot];
    const Path& path = selection_->path(slot);
    const Value value(found.token);
    return found.depth == path.size() ? value : value.follow(path, found.depth, scratch);
  }

  const Found& found(std::uint32_t slot) const { return cells_[slot]; }
  // REQUIRES: found(slot).rows != Found::kNotRead and index below it.
  inline Row item(const Selection& items, const Found& list, std::uint32_t index) const;

 private:
  const Slots* slots_;
  const Selection* selection_;
  const Found* cells_;
};

class Slots {
 public:
  explicit Slots(const Selection& selection);

  Row event() const { return {*this, *selections_[0], tables_[0].cells.data()}; }
  Value value(std::uint32_t slot, std::string& scratch) const {
    return event().value(slot, scratch);
  }

  // For the walk.
  void clear();  // before each line
  std::uint32_t add_row(const Selection& selection) {
    Table& table = tables_[selection.number()];
    const std::size_t width = selection.slots();
    const std::size_t begin = table.rows * width;
    if (table.cells.size() < begin + width) table.cells.resize((begin + width) * 2);
    std::fill_n(table.cells.begin() + static_cast<std::ptrdiff_t>(begin), width, Found{});
    return table.rows++;
  }
  std::uint32_t rows(const Selection& selection) const { return tables_[selection.number()].rows; }
  Found* cells(const Selection& selection, std::uint32_t row) {
    return tables_[selection.number()].cells.data() + std::size_t{row} * selection.slots();
  }
  const Found* cells(const Selection& selection, std::uint32_t row) const {
    return tables_[selection.number()].cells.data() + std::size_t{row} * selection.slots();
  }

 private:
  struct Table {
    std::vector<Found> cells;  // row by row
    std::uint32_t rows = 0;
  };

  const std::vector<const Selection*>& selections_;
  std::vector<Table> tables_;  // by a selection's number; the event is the one row of the first
};

inline Row Row::item(const Selection& items, const Found& list, std::uint32_t index) const {
  return {*slots_, items, slots_->cells(items, list.first_row + index)};
}

}  // namespace fieldpost
