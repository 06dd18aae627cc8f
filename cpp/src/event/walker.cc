// The only file that looks inside simdjson: its first stage finds where each token of a line begins
// (and checks UTF-8 and unended strings); the walk over those places checks the rest.
#include "event/walker.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

using Node = Selection::Node;

constexpr std::size_t kDeepest = 1024;
constexpr LineFault kNotJson = {"E401", "not valid JSON", 0};

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What a walk fills in: one row of a selection's table. Rows move while tables grow, so a place is
// kept as numbers.
struct Place {
  const Selection* selection;
  std::uint32_t row;
};

// A walk over the token starts of one line. `starts` ends with the line's size.
class Walk {
 public:
  Walk(std::string_view line, const std::uint32_t* starts, std::size_t count, bool has_escapes,
       Slots& slots)
      : line_(line),
        next_(starts),
        end_(starts + count),
        has_escapes_(has_escapes),
        slots_(slots) {}

  LineFault run(const Selection& selection) {
    const Place place{&selection, 0};
    if (peek() != '{') {
      if (value(nullptr, place, 0) && next_ == end_) {
        return {"E402", "a JSON value, but not an object", 0};
      }
      return fault();
    }
    if (!value(&selection.root(), place, 0) || next_ != end_) return fault();
    return {};
  }

 private:
  // The character that the next token begins with; '\0' after the last.
  char peek() const { return next_ < end_ ? line_[*next_] : '\0'; }

  // Where the token before the next one ends.
  std::size_t here() const {
    std::size_t end = *next_;
    while (is_blank(line_[end - 1])) --end;
    return end;
  }

  LineFault fault() const {
    if (too_deep_) return {"E405", "nested deeper than 1024 levels", offset_};
    LineFault fault = kNotJson;
    fault.offset = next_ < end_ ? *next_ : line_.size();
    return fault;
  }

  bool scalar(std::string_view& token) {
    const std::size_t begin = *next_++;
    token = line_.substr(begin, here() - begin);
    switch (token[0]) {
      case '"':
        return token.size() > 1 && token.back() == '"';
      case 't':
        return token == "true";
      case 'f':
        return token == "false";
      case 'n':
        return token == "null";
      default:
        return is_json_number(token);
    }
  }

  const Node* child(const Node& node, std::string_view key) {
    if (has_escapes_ && std::memchr(key.data(), '\\', key.size()) != nullptr) {
      key_.clear();
      append_unescaped(key, key_);
      key = key_;
    }
    for (const Node* child : node.children) {
      if (child->key.size() == key.size() &&
          std::memcmp(child->key.data(), key.data(), key.size()) == 0) {
        return child;
      }
    }
    return nullptr;
  }

  // After '{'. A null `node` means that nothing in here is asked for.
  bool object(const Node* node, Place place, std::size_t depth) {
    if (too_deep(depth)) return false;
    if (peek() == '}') return ++next_, true;
    for (;;) {
      if (peek() != '"') return false;
      std::string_view key;
      if (!scalar(key) || peek() != ':') return false;
      ++next_;
      const Node* hit = node != nullptr ? child(*node, key.substr(1, key.size() - 2)) : nullptr;
      if (hit != nullptr) forget_earlier(*hit, place);
      if (!value(hit, place, depth)) return false;
      const char c = peek();
      if (c != ',' && c != '}') return false;
      ++next_;
      if (c == '}') return true;
    }
  }

  // After '['.
  bool array(std::size_t depth) {
    if (too_deep(depth)) return false;
    if (peek() == ']') return ++next_, true;
    for (;;) {
      if (!value(nullptr, {}, depth)) return false;
      const char c = peek();
      if (c != ',' && c != ']') return false;
      ++next_;
      if (c == ']') return true;
    }
  }

  // The same where each item is a row of its own.
  bool items(const Node& node, Place place, std::size_t depth) {
    if (too_deep(depth)) return false;
    const Selection& selection = *node.items;
    const std::uint32_t first = slots_.rows(selection);
    if (peek() == ']') {
      ++next_;
    } else {
      for (;;) {
        const Place row{&selection, slots_.add_row(selection)};
        if (!value(&selection.root(), row, depth)) return false;
        const char c = peek();
        if (c != ',' && c != ']') return false;
        ++next_;
        if (c == ']') break;
      }
    }
    Found& list = found(node, place);
    list.first_row = first;
    list.rows = slots_.rows(selection) - first;
    return true;
  }

  bool value(const Node* node, Place place, std::size_t depth) {
    if (next_ >= end_) return false;
    const std::size_t begin = *next_;
    const char first = line_[begin];
    std::string_view token;
    if (first == '{') {
      ++next_;
      if (!object(node, place, depth + 1)) return false;
    } else if (first == '[') {
      ++next_;
      const bool by_item = node != nullptr && node->items != nullptr;
      if (!(by_item ? items(*node, place, depth + 1) : array(depth + 1))) return false;
    } else if (!scalar(token)) {
      return false;
    }
    if (node != nullptr) keep(*node, place, begin, first == '{');
    return true;
  }

  Found& found(const Node& node, Place place) {
    return slots_.cells(*place.selection, place.row)[node.slot];
  }

  void keep(const Node& node, Place place, std::size_t begin, bool object) {
    Found* cells = slots_.cells(*place.selection, place.row);
    const std::string_view token = line_.substr(begin, here() - begin);
    cells[node.slot].token = token;
    cells[node.slot].depth = node.depth;
    if (object) return;  // what is below was kept member by member
    for (const Node* below : node.below) cells[below->slot] = Found{token, node.depth};
  }

  // The last of equal keys counts.
  void forget_earlier(const Node& node, Place place) {
    Found* cells = slots_.cells(*place.selection, place.row);
    if (cells[node.slot].token.empty()) return;
    cells[node.slot] = Found{};
    for (const Node* below : node.below) cells[below->slot] = Found{};
  }

  bool too_deep(std::size_t depth) {
    if (depth <= kDeepest) return false;
    too_deep_ = true;
    offset_ = next_ < end_ ? *next_ : line_.size();
    return true;
  }

  std::string_view line_;
  const std::uint32_t* next_;
  const std::uint32_t* end_;
  bool has_escapes_;
  Slots& slots_;
  std::string key_;
  bool too_deep_ = false;
  std::size_t offset_ = 0;
};

}  // namespace

struct Walker::State {
  simdjson::dom::parser parser;
};

Walker::Walker() : state_(std::make_unique<State>()) {}
Walker::~Walker() = default;

LineFault Walker::walk(std::string_view line, const Selection& selection, Slots& slots) {
  slots.clear();
  auto& parser = state_->parser;
  if (parser.capacity() == 0 || line.size() > parser.capacity()) {
    const std::size_t wanted = std::max<std::size_t>(line.size() * 2, 65536);
    if (parser.allocate(wanted, kDeepest) != simdjson::SUCCESS) {
      return {"E406", "the line is too long to hold in memory", 0};
    }
  }
  auto& first = *parser.implementation;
  const auto error = first.stage1(reinterpret_cast<const std::uint8_t*>(line.data()), line.size(),
                                  simdjson::stage1_mode::regular);
  if (error == simdjson::UTF8_ERROR) return {"E401", "not valid UTF-8", 0};
  if (error != simdjson::SUCCESS) return {"E401", "not valid JSON", line.size()};
  const bool has_escapes = std::memchr(line.data(), '\\', line.size()) != nullptr;
  if (has_escapes && !escapes_are_valid(line)) return {"E401", "not valid JSON: a bad escape", 0};
  Walk walk(line, first.structural_indexes.get(), first.n_structural_indexes, has_escapes, slots);
  return walk.run(selection);
}

}  // namespace fieldpost
