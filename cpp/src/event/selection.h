// The paths that a plan reads, merged into one trie; and what one walk of an event found for them.
//
// A selection is built while filters and mappings compile and only read afterwards: share it
// between threads. Slots are one thread's own. Where a list is mapped item by item, its node
// carries a selection of its own for the items, and each item becomes a row of cells like the event
// itself.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/path.h"
#include "event/value.h"

namespace fieldpost {

// A key's first 8 bytes as one word; `readable` bytes may be looked at, the key's among them.
static_assert(std::endian::native == std::endian::little);
inline std::uint64_t key_head(std::string_view key, std::size_t readable) {
  std::uint64_t head = 0;
  if (readable < sizeof head) {
    std::memcpy(&head, key.data(), key.size());
    return head;
  }
  std::memcpy(&head, key.data(), sizeof head);
  return key.size() >= sizeof head ? head : head & ~(~std::uint64_t{0} << (8 * key.size()));
}

class Selection {
 public:
  struct Node;

  // The nodes one key below a node: an open hash table, so that most looks are one comparison.
  class Children {
   public:
    Children() : table_(1) {}
    void add(Node& node);
    bool empty() const { return taken_ == 0; }
    Node* find(std::string_view key, std::uint64_t head) const {
      for (std::size_t at = place(key.size(), head);; at = (at + 1) & (table_.size() - 1)) {
        const Child& child = table_[at];
        if (child.head == head && child.key.size() == key.size() &&
            (key.size() <= sizeof head || same_end(child.key, key))) {
          return child.node;
        }
        if (child.node == nullptr) return nullptr;
      }
    }

   private:
    struct Child {
      std::uint64_t head = 0;
      std::string_view key;
      Node* node = nullptr;  // null: free
    };

    // Of keys of one size that have the first 8 bytes in common. REQUIRES: more than 8.
    static bool same_end(std::string_view left, std::string_view right) {
      constexpr std::size_t kWord = sizeof(std::uint64_t);
      if (left.size() > 2 * kWord) return left == right;
      const std::size_t last = left.size() - kWord;
      return std::memcmp(left.data() + last, right.data() + last, kWord) == 0;
    }

    std::size_t place(std::size_t size, std::uint64_t head) const {
      return ((head + size) * 0x9E3779B97F4A7C15U) >> 1 >> shift_;
    }
    void put(const Child& child);

    std::vector<Child> table_;  // a power of two, at most a quarter of it taken
    std::size_t taken_ = 0;
    unsigned shift_ = 63;  // 63 - log2 of the table's size
  };

  struct Node {
    std::uint32_t slot = 0;  // every node has one: the cell of a row that its value goes to
    std::uint32_t depth = 0;
    Children children;
    std::vector<Node*> below;  // all descendants
    std::unique_ptr<Selection> items;
    std::string key;
    bool asked = false;  // else only on the way
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

// A token found at the end of its path, or after following some keys of it: the rest is then
// followed when asked for. Not found: no data.
struct Found {
  static constexpr std::uint32_t kNotRead = 0;

  std::string_view token() const { return {data, size}; }
  void set(const char* begin, const char* end) {
    data = begin;
    size = static_cast<std::uint32_t>(end - begin);
    list = kNotRead;
    is_part = 0;
  }
  void set_partly(const char* begin, const char* end, std::uint32_t keys) {
    set(begin, end);
    is_part = 1;
    list = keys;
  }

  const char* data = nullptr;
  std::uint32_t size = 0;
  // Of a list that was read item by item: its number among those of the event, from 1. Of a token
  // further up the path: how many keys lead to it.
  std::uint32_t list : 31 = kNotRead;
  std::uint32_t is_part : 1 = 0;
};
static_assert(sizeof(Found) == 16);  // all cells of a row are cleared for each event

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
    const Value value(found.token());
    return found.is_part ? value.follow(selection_->path(slot), found.list, scratch) : value;
  }

  const Found& found(std::uint32_t slot) const { return cells_[slot]; }

  // Whether that value is a list whose items the walk read; if so, how many they are.
  bool has_items(std::uint32_t slot) const {
    return !cells_[slot].is_part && cells_[slot].list != Found::kNotRead;
  }
  inline std::uint32_t items(std::uint32_t slot) const;  // REQUIRES: has_items(slot)
  inline Row item(const Selection& items, std::uint32_t slot, std::uint32_t index) const;

  // One past the text that the tokens found stand in.
  inline const char* readable() const;

 private:
  const Slots* slots_;
  const Selection* selection_;
  const Found* cells_;
};

class Slots {
 public:
  explicit Slots(const Selection& selection);

  Row event() const { return {*this, *selections_[0], tables_[0].cells(0)}; }
  Value value(std::uint32_t slot, std::string& scratch) const {
    return event().value(slot, scratch);
  }

  // For the walk. Cells stay where they are until the next clear().
  void clear(const char* readable);  // before each line; where the text it is in ends
  Found* event_cells() { return tables_[0].cells(0); }
  Found* add_row(const Selection& items) { return tables_[items.number()].add(); }
  std::uint32_t rows(const Selection& items) const { return tables_[items.number()].rows(); }
  // A list that was read: its rows, which lie side by side. Gives what Found::list holds.
  std::uint32_t add_list(std::uint32_t first_row, std::uint32_t rows) {
    lists_.push_back({first_row, rows});
    return static_cast<std::uint32_t>(lists_.size());
  }

 private:
  friend class Row;

  struct List {
    std::uint32_t first_row;
    std::uint32_t rows;
  };

  // Rows of one width, in blocks, so that they do not move while more are added.
  class Table {
   public:
    explicit Table(std::size_t width) : width_(width) {}

    void clear() { rows_ = 0; }
    std::uint32_t rows() const { return rows_; }
    Found* cells(std::uint32_t row) const {
      return blocks_[row / kBlock].get() + (row % kBlock) * width_;
    }
    Found* add() {
      if (rows_ == blocks_.size() * kBlock) {
        blocks_.push_back(std::make_unique<Found[]>(kBlock * width_));
      }
      Found* row = cells(rows_++);
      std::memset(static_cast<void*>(row), 0, width_ * sizeof(Found));
      return row;
    }

   private:
    static constexpr std::uint32_t kBlock = 32;

    std::size_t width_;
    std::uint32_t rows_ = 0;
    std::vector<std::unique_ptr<Found[]>> blocks_;
  };

  const std::vector<const Selection*>& selections_;
  std::vector<Table> tables_;  // by a selection's number; the event is the one row of the first
  std::vector<List> lists_;
  const char* readable_ = nullptr;
};

inline const char* Row::readable() const { return slots_->readable_; }

inline std::uint32_t Row::items(std::uint32_t slot) const {
  return slots_->lists_[cells_[slot].list - 1].rows;
}

inline Row Row::item(const Selection& items, std::uint32_t slot, std::uint32_t index) const {
  const std::uint32_t first = slots_->lists_[cells_[slot].list - 1].first_row;
  return {*slots_, items, slots_->tables_[items.number()].cells(first + index)};
}

}  // namespace fieldpost
