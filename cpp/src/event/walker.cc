// The only file that looks inside simdjson: its first stage finds where each token of a line begins
// (and checks UTF-8 and unended strings); the walk over those places checks the rest.
#include "event/walker.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "base/number.h"
#include "base/text.h"
#include "event/json_text.h"

namespace fieldpost {
namespace {

using Node = Selection::Node;
using Start = const std::uint32_t*;  // where a token begins in the line

constexpr std::size_t kDeepest = 1024;
constexpr const char* kNotJson = "not valid JSON";

// A walk over the token starts of one line.
//
// Its functions take the place of a token and give the place after what they read, null where the
// line is broken. The last token is '}'; so there always is a next token, except after a closing
// bracket: only there the end has to be looked for.
class Walk {
 public:
  // `escape` is where the line's first backslash stands, its end where there is none.
  // REQUIRES: the first token is '{', the last one '}', and *end is the line's size.
  Walk(std::string_view line, Start end, const char* escape, Slots& slots)
      : line_(line.data()), size_(line.size()), end_(end), escape_(escape), slots_(slots) {}

  LineFault run(const Selection& selection, Start first) {
    Found* cells = slots_.event_cells();
    const Start after = object(&selection.root(), cells, first + 1, 1);
    if (after == nullptr || after != end_) {
      if (after != nullptr) broken(after);
      return {too_deep_ ? "E405" : "E401", too_deep_ ? "nested deeper than 1024 levels" : kNotJson,
              offset_};
    }
    keep(selection.root(), cells, *first, after, true);
    return {};
  }

 private:
  char at(Start token) const { return line_[*token]; }

  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

  // Where the token before `next` ends.
  const char* end_before(Start next) const {
    const char* end = line_ + *next;
    while (is_blank(end[-1])) --end;
    return end;
  }

  std::string_view token(std::uint32_t begin, Start next) const {
    const char* first = line_ + begin;
    return {first, static_cast<std::size_t>(end_before(next) - first)};
  }

  Start broken(Start token) {
    if (!too_deep_) offset_ = token < end_ ? *token : size_;
    return nullptr;
  }

  static bool is_string(std::string_view token) { return token.size() > 1 && token.back() == '"'; }

  static bool is_scalar(std::string_view token) {
    switch (token[0]) {
      case '"':
        return is_string(token);
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

  // Whether a backslash stands in that part of the line. Parts are asked for from left to right.
  bool has_escape(std::string_view part) {
    const char* end = line_ + size_;
    while (escape_ < part.data()) {
      const void* next =
          std::memchr(part.data(), '\\', static_cast<std::size_t>(end - part.data()));
      escape_ = next != nullptr ? static_cast<const char*>(next) : end;
    }
    return escape_ < part.data() + part.size();
  }

  const Node* child(const Node& node, std::string_view key) {
    std::size_t readable = static_cast<std::size_t>(line_ + size_ - key.data());
    if (has_escape(key)) {
      key_.clear();
      append_unescaped(key, key_);
      key = key_;
      readable = key.size();
    }
    return node.children.find(key, key_head(key, readable));
  }

  // After '{'. A null `node` means that nothing in here is asked for.
  Start object(const Node* node, Found* cells, Start next, std::size_t depth) {
    if (depth > kDeepest) return too_deep(next);
    if (at(next) == '}') return next + 1;
    for (;;) {
      if (at(next) != '"') return broken(next);
      const std::string_view key = token(*next, next + 1);
      ++next;
      if (!is_string(key) || at(next) != ':') return broken(next);
      ++next;
      const Node* hit = node != nullptr ? child(*node, key.substr(1, key.size() - 2)) : nullptr;
      if (hit != nullptr) forget_earlier(*hit, cells);
      next = value(hit, cells, next, depth);
      if (next == nullptr) return nullptr;
      const char c = at(next);
      if (c == '}') return next + 1;
      if (c != ',') return broken(next);
      ++next;
    }
  }

  // After '['. Where `node` asks for items, each becomes a row of its own.
  Start array(const Node* node, Found* cells, Start next, std::size_t depth) {
    if (depth > kDeepest) return too_deep(next);
    const Selection* items = node != nullptr ? node->items.get() : nullptr;
    const Node* item = items != nullptr ? &items->root() : nullptr;
    const std::uint32_t first_row = items != nullptr ? slots_.rows(*items) : 0;
    if (at(next) == ']') {
      ++next;
    } else {
      for (;;) {
        next = value(item, items != nullptr ? slots_.add_row(*items) : nullptr, next, depth);
        if (next == nullptr) return nullptr;
        const char c = at(next);
        if (c != ',' && c != ']') return broken(next);
        ++next;
        if (c == ']') break;
      }
    }
    if (items != nullptr) {
      cells[node->slot].first_row = first_row;
      cells[node->slot].rows = slots_.rows(*items) - first_row;
    }
    return next;
  }

  // A value inside a container, so another token has to follow.
  Start value(const Node* node, Found* cells, Start next, std::size_t depth) {
    const std::uint32_t begin = *next;
    const char first = line_[begin];
    Start after = next + 1;
    if (first == '{' || first == '[') {
      after = first == '{' ? object(node, cells, after, depth + 1)
                           : array(node, cells, after, depth + 1);
      if (after == nullptr) return nullptr;
      if (after == end_) return broken(after);
    } else if (after == end_ || !is_scalar(token(begin, after))) {
      return broken(next);
    }
    if (node != nullptr) keep(*node, cells, begin, after, first == '{');
    return after;
  }

  void keep(const Node& node, Found* cells, std::uint32_t begin, Start next, bool object) {
    const std::string_view found = token(begin, next);
    cells[node.slot].token = found;
    if (object) return;  // what is below was kept member by member
    for (const Node* below : node.below) cells[below->slot] = Found{found, node.depth};
  }

  // The last of equal keys counts.
  void forget_earlier(const Node& node, Found* cells) {
    if (cells[node.slot].token.empty()) return;
    cells[node.slot] = Found{};
    for (const Node* below : node.below) cells[below->slot] = Found{};
  }

  Start too_deep(Start next) {
    too_deep_ = true;
    offset_ = *next;
    return nullptr;
  }

  const char* line_;
  std::size_t size_;
  Start end_;
  const char* escape_;
  Slots& slots_;
  std::string key_;
  bool too_deep_ = false;
  std::size_t offset_ = 0;
};

// What is wrong with a line that does not begin and end as an object does.
LineFault fault_of(std::string_view line) {
  std::size_t stopped = 0;
  switch (check_json(line, &stopped)) {
    case JsonText::valid:
      return {"E402", "a JSON value, but not an object", 0};
    case JsonText::too_deep:
      return {"E405", "nested deeper than 1024 levels", stopped};
    case JsonText::invalid:
      break;
  }
  return {"E401", kNotJson, std::min(stopped, line.size())};
}

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
  if (error != simdjson::SUCCESS) return {"E401", kNotJson, line.size()};
  const void* escape = std::memchr(line.data(), '\\', line.size());
  if (escape != nullptr && !escapes_are_valid(line)) {
    return {"E401", "not valid JSON: a bad escape", 0};
  }
  const Start starts = first.structural_indexes.get();
  const Start end = starts + first.n_structural_indexes;
  if (line[*starts] != '{' || line[end[-1]] != '}') return fault_of(line);
  Walk walk(line, end,
            escape != nullptr ? static_cast<const char*>(escape) : line.data() + line.size(),
            slots);
  return walk.run(selection, starts);
}

}  // namespace fieldpost
