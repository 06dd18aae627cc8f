// How Segment groups the conditions of a trigger, beside how they are written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "filter/dialects/trigger_lexer.h"

namespace fieldpost {

// Which conditions are joined by what: a condition is its first token, a group its joiner.
// Parentheses that change nothing leave no trace, so that equal shapes mean the same.
struct Shape {
  std::size_t condition = 0;
  std::string joiner;  // "" of a condition
  std::vector<Shape> children;

  static Shape group(std::string joiner, std::vector<Shape> children);
  bool operator==(const Shape&) const = default;
};

bool is_trigger_field(const TriggerToken& token);
bool is_trigger_function(const TriggerToken& token);

// Segment's grouping: parentheses end at the first ")", also at one of a function; the last of
// "and" and "or" joins the whole level. Nothing where it cannot group at all.
// REQUIRES: `tokens` are conditions, joiners and parentheses that close.
std::optional<Shape> segment_shape(const std::vector<TriggerToken>& tokens);

}  // namespace fieldpost
