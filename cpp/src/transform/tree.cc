#include "transform/tree.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/text.h"
#include "event/object.h"

namespace fieldpost {
namespace {

// A list may grow by so many elements at once.
constexpr std::size_t kMostGrowth = 65536;
constexpr std::string_view kNull = "null";

std::size_t index_of(std::string_view key) {
  std::size_t index = 0;
  std::from_chars(key.data(), key.data() + key.size(), index);
  return index;
}

}  // namespace

Keys keys_of(std::string_view dotted) {
  Keys keys;
  for (;;) {
    const std::size_t dot = dotted.find('.');
    keys.emplace_back(dotted.substr(0, dot));
    if (dot == std::string_view::npos) return keys;
    dotted.remove_prefix(dot + 1);
  }
}

Tree Tree::owning(std::string json) {
  auto own = std::make_unique<std::string>(std::move(json));
  Tree tree(*own);
  tree.own_ = std::move(own);
  return tree;
}

void Tree::open() {
  if (std::exchange(opened_, true)) return;
  if (is_object()) return open_object();
  Value element;
  for (Elements elements{Value(text_)}; elements.next(element);) {
    children_.emplace_back(element.token());
  }
}

// Most objects have plain keys, each once; the others are read key by key as JavaScript has them.
void Tree::open_object() {
  std::vector<std::string_view> names;
  bool is_plain = true;
  std::string_view inside;
  Value value;
  for (Members members{Value(text_)}; members.next(inside, value);) {
    is_plain = is_plain && inside.find('\\') == std::string_view::npos && !is_index_key(inside);
    names.push_back(inside);
    children_.emplace_back(value.token());
  }
  keys_.assign(names.begin(), names.end());
  std::sort(names.begin(), names.end());
  const bool is_twice = std::adjacent_find(names.begin(), names.end()) != names.end();
  if (!is_plain || is_twice) take_members();
}

void Tree::take_members() {
  keys_.clear();
  children_.clear();
  for (Member& member : members_of(Value(text_))) {
    keys_.push_back(std::move(member.key));
    children_.emplace_back(member.value.token());
  }
}

Tree* Tree::element(std::string_view key) {
  const bool there = is_index_key(key) && index_of(key) < children_.size();
  return there ? &children_[index_of(key)] : nullptr;
}

Tree* Tree::child(std::string_view key) {
  if (!is_object() && !is_array()) return nullptr;
  open();
  if (is_array()) return element(key);
  const auto found = std::find(keys_.begin(), keys_.end(), key);
  return found == keys_.end() ? nullptr
                              : &children_[static_cast<std::size_t>(found - keys_.begin())];
}

Tree* Tree::descend(const Keys& keys) {
  Tree* at = this;
  for (const std::string& key : keys) {
    at = at->child(key);
    if (at == nullptr) return nullptr;
  }
  return at;
}

bool Tree::read(const Keys& keys, std::string& json) {
  Tree* at = this;
  std::size_t done = 0;
  while (done < keys.size() && at->opened_ && !(at->is_array() && keys[done] == "length")) {
    at = at->child(keys[done++]);
    if (at == nullptr) return false;
  }
  std::string written;
  if (at->opened_) at->write(written);
  Value value(at->opened_ ? written : at->text_);
  std::string scratch[2];  // a step may read from what the one before it computed
  for (; done < keys.size(); ++done) {
    if (value.falsy()) return false;
    value = value.step(keys[done], scratch[done % 2]);
  }
  if (value.is_undefined()) return false;
  json += value.token();
  return true;
}

bool Tree::set(std::string_view key, Tree value) {
  open();
  if (Tree* known = child(key)) {
    *known = std::move(value);
    return true;
  }
  if (is_array()) {
    if (!is_index_key(key)) return true;
    const std::size_t index = index_of(key);
    if (index > children_.size() + kMostGrowth) return false;
    while (children_.size() < index) children_.emplace_back(kNull);
    children_.push_back(std::move(value));
    return true;
  }
  const auto place = is_index_key(key)
                         ? std::upper_bound(keys_.begin(), keys_.end(), key,
                                            [](std::string_view left, const auto& right) {
                                              return comes_first(left, right);
                                            })
                         : keys_.end();
  children_.insert(children_.begin() + (place - keys_.begin()), std::move(value));
  keys_.insert(place, std::string(key));
  return true;
}

void Tree::remove(std::string_view key) {
  Tree* found = child(key);
  if (found == nullptr) return;
  if (is_array()) {
    *found = Tree(kNull);
    return;
  }
  const auto index = found - children_.data();
  keys_.erase(keys_.begin() + index);
  children_.erase(children_.begin() + index);
}

std::vector<std::string> Tree::names() {
  open();
  if (is_object()) return keys_;
  std::vector<std::string> indexes;
  for (std::size_t i = 0; i < children_.size(); ++i) indexes.push_back(std::to_string(i));
  return indexes;
}

std::vector<Tree>& Tree::elements() {
  open();
  return children_;
}

void Tree::write(std::string& out) const {
  if (!opened_) {
    out += text_;
    return;
  }
  out += is_object() ? '{' : '[';
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (i > 0) out += ',';
    if (is_object()) {
      append_json_string(keys_[i], out);
      out += ':';
    }
    children_[i].write(out);
  }
  out += is_object() ? '}' : ']';
}

}  // namespace fieldpost
