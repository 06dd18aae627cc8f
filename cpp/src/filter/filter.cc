#include "fieldpost/filter.h"

#include <algorithm>

#include "event/selection.h"
#include "filter/ast.h"
#include "filter/parser.h"

namespace fieldpost {
namespace {

bool holds(const FilterNode& node, const Slots& slots, std::string& scratch) {
  const auto child_holds = [&](const auto& child) { return holds(*child, slots, scratch); };
  switch (node.kind) {
    case FilterNode::Kind::all:
      return true;
    case FilterNode::Kind::both:
      return std::all_of(node.children.begin(), node.children.end(), child_holds);
    case FilterNode::Kind::either:
      return std::any_of(node.children.begin(), node.children.end(), child_holds);
    case FilterNode::Kind::negation:
      return !child_holds(node.children[0]);
    case FilterNode::Kind::comparison:
      break;
  }
  return compare(slots.value(node.slot, scratch), node.op, node.literal);
}

}  // namespace

Filter::Filter(std::string_view text, Selection& selection)
    : root_(parse_filter(text, selection)) {}
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

bool Filter::matches(const Slots& slots) const {
  std::string scratch;
  return holds(*root_, slots, scratch);
}

}  // namespace fieldpost
