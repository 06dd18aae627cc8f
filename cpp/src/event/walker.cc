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

// A walk over the token starts of one line.
class Walk {
 public:
  Walk(std::string_view line, const std::uint32_t* starts, std::size_t count, Slots& slots)
      : line_(line), next_(starts), end_(starts + count), slots_(slots) {}

  LineFault run(const Node& root) {
    if (peek() != '{') {
      if (value(nullptr, 0) && next_ == end_) return {"E402", "a JSON value, but not an object", 0};
      return fault();
    }
    const std::size_t begin = *next_;
    ++next_;
    if (!object(&root, 1) || next_ != end_) return fault();
    if (root.slot >= 0) {
      slots_.put(static_cast<std::uint32_t>(root.slot), line_.substr(begin, here() - begin), 0);
    }
    return {};
  }

 private:
  char peek() const { return next_ < end_ ? line_[*next_] : '\0'; }
  // Where the token before the next one ends.
  std::size_t here() const {
    std::size_t end = next_ < end_ ? *next_ : line_.size();
    while (end > 0 && is_blank(line_[end - 1])) --end;
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

  // The child of `node` for the key whose token starts at `begin`.
  const Node* child(const Node* node, std::string_view key) {
    if (node == nullptr) return nullptr;
    if (std::memchr(key.data(), '\\', key.size()) != nullptr) {
      key_.clear();
      append_unescaped(key, key_);
      key = key_;
    }
    for (const auto& child : node->children) {
      if (child->key.size() == key.size() &&
          std::memcmp(child->key.data(), key.data(), key.size()) == 0) {
        return child.get();
      }
    }
    return nullptr;
  }

  // After '{'.
  bool object(const Node* node, std::size_t depth) {
    if (too_deep(depth)) return false;
    if (peek() == '}') return ++next_, true;
    for (;;) {
      if (peek() != '"') return false;
      std::string_view key;
      if (!scalar(key) || peek() != ':') return false;
      ++next_;
      const Node* hit = child(node, key.substr(1, key.size() - 2));
      if (hit != nullptr && slots_.visit(*hit)) slots_.forget(*hit);
      if (!value(hit, depth)) return false;
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
      if (!value(nullptr, depth)) return false;
      const char c = peek();
      if (c != ',' && c != ']') return false;
      ++next_;
      if (c == ']') return true;
    }
  }

  bool value(const Node* node, std::size_t depth) {
    if (next_ >= end_) return false;
    const std::size_t begin = *next_;
    const char first = line_[begin];
    std::string_view token;
    if (first == '{') {
      ++next_;
      if (!object(node, depth + 1)) return false;
    } else if (first == '[') {
      ++next_;
      if (!array(depth + 1)) return false;
    } else if (!scalar(token)) {
      return false;
    }
    if (node != nullptr) keep(*node, begin, first == '{');
    return true;
  }

  void keep(const Node& node, std::size_t begin, bool object) {
    const std::string_view token = line_.substr(begin, here() - begin);
    if (node.slot >= 0) slots_.put(static_cast<std::uint32_t>(node.slot), token, node.depth);
    if (object) return;  // what is below was kept member by member
    for (const std::uint32_t slot : node.below) slots_.put(slot, token, node.depth);
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
  if (line.size() > parser.capacity()) {
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
  if (!escapes_are_valid(line)) return {"E401", "not valid JSON: a bad escape", 0};
  Walk walk(line, first.structural_indexes.get(), first.n_structural_indexes, slots);
  return walk.run(selection.root());
}

}  // namespace fieldpost
