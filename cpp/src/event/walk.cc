// Every function takes the place of a token and gives the place after what it read, null where the
// line is broken. The text's last token is '}', so a token that is no closing bracket always has a
// successor; after a closing bracket the end of the line has to be looked for.
#include "event/walk.h"

#include <cstring>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// One past the word at `at`, null where another one stands there.
const char* word_end(const char* at, const char* end, std::string_view word) {
  const std::string_view there(at, static_cast<std::size_t>(end - at));
  return there.starts_with(word) ? at + word.size() : nullptr;
}

const char* number_or_word_end(const char* at, const char* end) {
  switch (*at) {
    case 't':
      return word_end(at, end, "true");
    case 'f':
      return word_end(at, end, "false");
    case 'n':
      return word_end(at, end, "null");
    default:
      return json_number_end(at, end);
  }
}

}  // namespace

void Walk::open(std::string_view text, const std::uint32_t* escapes) {
  text_ = text.data();
  size_ = static_cast<std::uint32_t>(text.size());
  escape_ = escapes;
}

Walk::Start Walk::read(const Selection& selection, Slots& slots, Start first,
                       std::uint32_t line_end) {
  slots_ = &slots;
  line_end_ = line_end;
  too_deep_ = false;
  const Node& root = selection.root();
  Found* cells = slots.event_cells();
  const Start after =
      root.children.empty() ? skip_object(first + 1, 1) : object(root, cells, first + 1, 1);
  if (after == nullptr) return nullptr;
  if (after[-1] >= line_end) return broken(after - 1);
  if (*after < line_end) return broken(after);
  cells[root.slot].set(text_ + *first, text_ + after[-1] + 1);
  return after;
}

// After '{'.
Walk::Start Walk::object(const Node& node, Found* cells, Start next, std::size_t depth) {
  if (opened(next, depth) == nullptr) return nullptr;
  if (at(next) == '}') return next + 1;
  for (;;) {
    if (at(next) != '"') return broken(next);
    if (at(next + 1) != ':') return broken(next + 1);
    const Node* hit = child(node, *next + 1, next[1]);
    next += 2;
    if (at(next) == '"') {
      ++next;
      if (hit != nullptr) keep(*hit, cells, next[-1], string_end(next));
    } else {
      next = hit != nullptr ? value(*hit, cells, next, depth) : skip(next, depth);
      if (next == nullptr) return nullptr;
    }
    const char c = at(next++);
    if (c == ',') continue;
    return c == '}' ? next : broken(next - 1);
  }
}

Walk::Start Walk::skip_object(Start next, std::size_t depth) {
  if (opened(next, depth) == nullptr) return nullptr;
  if (at(next) == '}') return next + 1;
  for (;;) {
    if (at(next) != '"') return broken(next);
    if (at(next + 1) != ':') return broken(next + 1);
    next += 2;
    if (at(next) == '"') {
      ++next;
    } else {
      next = skip(next, depth);
      if (next == nullptr) return nullptr;
    }
    const char c = at(next++);
    if (c == ',') continue;
    return c == '}' ? next : broken(next - 1);
  }
}

Walk::Start Walk::skip_array(Start next, std::size_t depth) {
  if (opened(next, depth) == nullptr) return nullptr;
  if (at(next) == ']') return next + 1;
  for (;;) {
    next = skip(next, depth);
    if (next == nullptr) return nullptr;
    const char c = at(next++);
    if (c == ',') continue;
    return c == ']' ? next : broken(next - 1);
  }
}

// What the keys of its node say of a list is followed when it is asked for; but where its items are
// asked for, each becomes a row.
Walk::Start Walk::list(const Node& node, Found* cells, Start next, std::size_t depth) {
  const std::uint32_t begin = *next++;
  std::uint32_t number = Found::kNotRead;
  next =
      closed(node.items ? rows(*node.items, next, depth + 1, number) : skip_array(next, depth + 1));
  if (next == nullptr) return nullptr;
  keep(node, cells, begin, text_ + next[-1] + 1);
  cells[node.slot].list = number;
  return next;
}

Walk::Start Walk::rows(const Selection& items, Start next, std::size_t depth,
                       std::uint32_t& number) {
  if (opened(next, depth) == nullptr) return nullptr;
  const std::uint32_t first_row = slots_->rows(items);
  if (at(next) == ']') {
    ++next;
  } else {
    for (;;) {
      next = value(items.root(), slots_->add_row(items), next, depth);
      if (next == nullptr) return nullptr;
      const char c = at(next++);
      if (c == ',') continue;
      if (c == ']') break;
      return broken(next - 1);
    }
  }
  number = slots_->add_list(first_row, slots_->rows(items) - first_row);
  return next;
}

// A value inside a container that nothing is asked of.
Walk::Start Walk::skip(Start next, std::size_t depth) {
  switch (at(next)) {
    case '"':
      return next + 1;
    case '{':
      return closed(skip_object(next + 1, depth + 1));
    case '[':
      return closed(skip_array(next + 1, depth + 1));
    default:
      return scalar_end(next) != nullptr ? next + 1 : broken(next);
  }
}

// A value inside a container, kept.
Walk::Start Walk::value(const Node& node, Found* cells, Start next, std::size_t depth) {
  const std::uint32_t begin = *next;
  const char* end = nullptr;
  switch (text_[begin]) {
    case '"':
      end = string_end(++next);
      break;
    case '{':
      if (cells[node.slot].data != nullptr) forget(node, cells);
      next = closed(node.children.empty() ? skip_object(next + 1, depth + 1)
                                          : object(node, cells, next + 1, depth + 1));
      if (next != nullptr) cells[node.slot].set(text_ + begin, text_ + next[-1] + 1);
      return next;  // what is below was kept member by member
    case '[':
      return list(node, cells, next, depth);
    default:
      end = scalar_end(next);
      if (end == nullptr) return broken(next);
      ++next;
  }
  keep(node, cells, begin, end);
  return next;
}

void Walk::forget(const Node& node, Found* cells) {
  cells[node.slot] = Found{};
  for (const Node* below : node.below) cells[below->slot] = Found{};
}

// What is no object. The last of equal keys counts.
inline void Walk::keep(const Node& node, Found* cells, std::uint32_t begin, const char* end) {
  cells[node.slot].set(text_ + begin, end);
  for (const Node* below : node.below)
    cells[below->slot].set_partly(text_ + begin, end, node.depth);
}

// One past the closing quote of the string before `next`: only blanks can stand between.
inline const char* Walk::string_end(Start next) const {
  const char* end = text_ + *next;
  while (end[-1] != '"') --end;
  return end;
}

// One past a number or a word; null where it is neither.
const char* Walk::scalar_end(Start token) const {
  const char* begin = text_ + *token;
  const char* next = text_ + token[1];
  const char* end = number_or_word_end(begin, next);
  // After a blank begins another token, so one is enough to see that nothing follows.
  return end != nullptr && (end == next || is_blank(*end)) ? end : nullptr;
}

inline const Walk::Node* Walk::child(const Node& node, std::uint32_t begin, std::uint32_t colon) {
  std::uint32_t end = colon - 1;
  while (text_[end] != '"') --end;
  if (*escape_ < end) [[unlikely]] {
    while (*escape_ < begin) ++escape_;
    if (*escape_ < end) return escaped_child(node, begin, end);
  }
  const std::string_view key(text_ + begin, end - begin);
  return node.children.find(key, key_head(key, size_ - begin));
}

const Walk::Node* Walk::escaped_child(const Node& node, std::uint32_t begin, std::uint32_t end) {
  key_.clear();
  append_unescaped({text_ + begin, end - begin}, key_);
  return node.children.find(key_, key_head(key_, key_.size()));
}

// Broken lines may run on into the next ones: no further than to the next bracket there.
Walk::Start Walk::opened(Start next, std::size_t depth) {
  if (next[-1] >= line_end_) return broken(next - 1);
  if (depth <= kDeepest) return next;
  too_deep_ = true;
  stopped_ = *next;
  return nullptr;
}

// Inside a container another token has to follow.
Walk::Start Walk::closed(Start next) {
  if (next == nullptr || *next < line_end_) return next;
  return broken(next);
}

Walk::Start Walk::broken(Start token) {
  if (!too_deep_) stopped_ = *token;
  return nullptr;
}

}  // namespace fieldpost
