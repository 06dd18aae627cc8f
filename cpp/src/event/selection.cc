#include "event/selection.h"

#include <algorithm>

namespace fieldpost {

Selection::Selection() : root_(std::make_unique<Node>()) {}

std::uint32_t Selection::slot(const Path& path) {
  std::vector<Node*> way = {root_.get()};
  for (const std::string& key : path) {
    auto& children = way.back()->children;
    auto child = std::find_if(children.begin(), children.end(),
                              [&](const auto& node) { return node->key == key; });
    if (child == children.end()) {
      children.push_back(std::make_unique<Node>());
      child = children.end() - 1;
      (*child)->key = key;
      (*child)->id = nodes_++;
      (*child)->depth = way.back()->depth + 1;
    }
    way.push_back(child->get());
  }
  Node& end = *way.back();
  if (end.slot < 0) {
    end.slot = static_cast<std::int32_t>(paths_.size());
    paths_.push_back(path);
    way.pop_back();
    for (Node* node : way) node->below.push_back(static_cast<std::uint32_t>(end.slot));
  }
  return static_cast<std::uint32_t>(end.slot);
}

void Slots::clear() {
  std::fill(found_.begin(), found_.end(), Found{});
  ++walk_;
}

bool Slots::visit(const Selection::Node& node) {
  const bool again = seen_[node.id] == walk_;
  seen_[node.id] = walk_;
  return again;
}

void Slots::forget(const Selection::Node& node) {
  if (node.slot >= 0) put(static_cast<std::uint32_t>(node.slot), {}, 0);
  for (const std::uint32_t slot : node.below) put(slot, {}, 0);
}

}  // namespace fieldpost
