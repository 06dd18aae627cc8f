#include "filter/dialects/trigger_shape.h"

#include <algorithm>
#include <array>

namespace fieldpost {
namespace {

using Kind = TriggerToken::Kind;

constexpr std::array<std::string_view, 7> kFields = {"type",       "event",  "name",   "userId",
                                                     "properties", "traits", "context"};

std::optional<Shape> shape_of(const std::vector<TriggerToken>& tokens, std::size_t at,
                              std::size_t end) {
  std::string joiner = "and";
  std::vector<Shape> children;
  while (at < end) {
    const TriggerToken& token = tokens[at];
    if (is_trigger_field(token) || is_trigger_function(token)) {
      children.push_back({at, "", {}});
      at += is_trigger_field(token) ? 3 : 6;
    } else if (token.is("(")) {
      std::size_t close = at + 1;
      while (close < end && !tokens[close].is(")")) ++close;
      if (close >= end) return {};
      std::optional<Shape> inside = shape_of(tokens, at + 1, close);
      if (!inside) return {};
      children.push_back(std::move(*inside));
      at = close + 1;
    } else {
      if (token.kind == Kind::joiner) joiner = token.text;
      ++at;
    }
  }
  if (children.empty()) return {};
  return Shape::group(joiner, std::move(children));
}

}  // namespace

Shape Shape::group(std::string joiner, std::vector<Shape> children) {
  if (children.size() == 1) return std::move(children[0]);
  Shape shape{0, std::move(joiner), {}};
  for (Shape& child : children) {
    if (child.joiner != shape.joiner) {
      shape.children.push_back(std::move(child));
      continue;
    }
    std::move(child.children.begin(), child.children.end(), std::back_inserter(shape.children));
  }
  return shape;
}

bool is_trigger_field(const TriggerToken& token) {
  const std::string_view word = std::string_view(token.text).substr(0, token.text.find('.'));
  return token.kind == Kind::name &&
         std::find(kFields.begin(), kFields.end(), word) != kFields.end();
}

bool is_trigger_function(const TriggerToken& token) {
  return token.kind == Kind::name && (token.text == "contains" || token.text == "match");
}

std::optional<Shape> segment_shape(const std::vector<TriggerToken>& tokens) {
  return shape_of(tokens, 0, tokens.size());
}

}  // namespace fieldpost
