#include "event/selection.h"

#include <algorithm>

namespace fieldpost {

Selection::Selection() : Selection(std::make_shared<std::vector<const Selection*>>()) {}

Selection::Selection(std::shared_ptr<std::vector<const Selection*>> all)
    : all_(std::move(all)), number_(static_cast<std::uint32_t>(all_->size())) {
  nodes_.emplace_back();
  paths_.emplace_back();
  all_->push_back(this);
}

std::uint32_t Selection::slot(const Path& path) {
  std::vector<Node*> way = {&nodes_.front()};
  for (const std::string& key : path) {
    auto& children = way.back()->children;
    if (Node* known = children.find(key, key_head(key, key.size()))) {
      way.push_back(known);
      continue;
    }
    Node& node = nodes_.emplace_back();
    node.key = key;
    node.slot = slots() - 1;
    node.depth = way.back()->depth + 1;
    paths_.emplace_back(path.begin(), path.begin() + node.depth);
    children.add(node);
    for (Node* above : way) above->below.push_back(&node);
    way.push_back(&node);
  }
  way.back()->asked = true;
  return way.back()->slot;
}

void Selection::Children::add(Node& node) {
  constexpr std::size_t kSpare = 4;
  if ((taken_ + 1) * kSpare > table_.size()) {
    std::vector<Child> old(std::bit_ceil((taken_ + 1) * kSpare));
    old.swap(table_);
    shift_ = 63U - static_cast<unsigned>(std::countr_zero(table_.size()));
    for (const Child& child : old) {
      if (child.node != nullptr) put(child);
    }
  }
  put({key_head(node.key, node.key.size()), node.key, &node});
  ++taken_;
}

void Selection::Children::put(const Child& child) {
  std::size_t at = place(child.key.size(), child.head);
  while (table_[at].node != nullptr) at = (at + 1) & (table_.size() - 1);
  table_[at] = child;
}

Selection& Selection::items(std::uint32_t slot) {
  auto& items = nodes_[slot].items;
  if (!items) items.reset(new Selection(all_));
  return *items;
}

std::vector<std::string> Selection::asked() const {
  std::vector<std::string> paths;
  append_asked("$", paths);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

void Selection::append_asked(const std::string& prefix, std::vector<std::string>& paths) const {
  for (const Node& node : nodes_) {
    const std::string text = prefix + path_text(paths_[node.slot]);
    if (node.asked) paths.push_back(text == "$" ? "$." : text);
    if (node.items) node.items->append_asked(text + "[]", paths);
  }
}

Slots::Slots(const Selection& selection) : selections_(selection.all()) {
  for (const Selection* one : selections_) tables_.emplace_back(one->slots());
  clear(nullptr);
}

void Slots::clear(const char* readable) {
  readable_ = readable;
  for (Table& table : tables_) table.clear();
  lists_.clear();
  tables_[0].add();
}

}  // namespace fieldpost
