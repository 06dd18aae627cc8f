// One compiled expression of a mapping. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "event/selection.h"
#include "event/value.h"
#include "mapping/writer.h"

namespace fieldpost {

// A path, compiled for the scope it stands in.
struct Reach {
  Path path;
  std::uint32_t slot = 0;  // in the selection of the scope's row, where it has one
};

// What `$.` means: the event or an item of a list that the walk read (a row), or any value.
class Scope {
 public:
  explicit Scope(Row event) : event_(event), row_(event) {}

  // The same event seen from elsewhere.
  Scope at(Row item) const {
    Scope scope(*this);
    scope.row_ = item;
    return scope;
  }
  Scope at(Value item) const {
    Scope scope(*this);
    scope.row_.reset();
    scope.item_ = item;
    return scope;
  }
  // For text to compute with: undefined is written as `u` instead of left out.
  Scope computing() const {
    Scope scope(*this);
    scope.computing_ = true;
    return scope;
  }

  bool is_computing() const { return computing_; }
  const std::optional<Row>& row() const { return row_; }
  const Row& event() const { return event_; }

  Value find(const Reach& reach, std::string& scratch) const {
    return row_ ? row_->value(reach.slot, scratch) : item_.follow(reach.path, 0, scratch);
  }
  // A token that the walk kept whole, else null: then find() it. Bytes up to readable() may be
  // looked at.
  const Found* kept(const Reach& reach) const {
    const Found* found = row_ ? &row_->found(reach.slot) : nullptr;
    return found != nullptr && !found->is_part ? found : nullptr;
  }
  const char* readable() const { return event_.readable(); }

 private:
  Row event_;
  std::optional<Row> row_;
  Value item_;
  bool computing_ = false;
};

class Node {
 public:
  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  // Appends the JSON; false and nothing appended where it is undefined.
  virtual bool write(const Scope& scope, std::string& out) const = 0;

  // The same through a writer.
  virtual bool put(const Scope& scope, Writer& writer) const {
    return writer.in_string([&](std::string& out) { return write(scope, out); });
  }

  // The same to compute with. Lives as long as the event and `scratch`.
  virtual Value value(const Scope& scope, std::string& scratch) const {
    scratch.clear();
    return write(scope.computing(), scratch) ? Value(scratch) : Value();
  }

  // Whether it gives the same JSON for every event.
  virtual bool is_constant() const { return false; }
};

using NodePtr = std::unique_ptr<const Node>;

// For nodes that put small parts together, many for each event.
class PuttingNode : public Node {
 public:
  bool write(const Scope& scope, std::string& out) const override {
    Writer writer(out);
    return put(scope, writer);
  }
  bool put(const Scope& scope, Writer& writer) const override = 0;
};

// For nodes that find a value which is there already, in the event or in a text.
class FindingNode : public Node {
 public:
  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    return append_found(value(scope, scratch), scope, out);
  }
  Value value(const Scope& scope, std::string& scratch) const override = 0;

  static bool append_found(Value found, const Scope& scope, std::string& out) {
    if (found.is_undefined()) return false;
    if (scope.is_computing()) {
      out += found.token();
    } else {
      found.append_json(out);
    }
    return true;
  }
};

}  // namespace fieldpost
