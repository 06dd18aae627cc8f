// What a filter's text says, as a tree. Built by the parser, run by filter.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "filter/operators.h"

namespace fieldpost {

struct Literal {
  enum class Kind : std::uint8_t { null, boolean, number, string };
  Kind kind = Kind::null;
  bool truth = false;
  double number = 0;
  std::string text;
};

struct FilterNode {
  enum class Kind : std::uint8_t { all, both, either, negation, comparison };
  Kind kind = Kind::all;
  std::vector<std::unique_ptr<FilterNode>> children;
  std::uint32_t slot = 0;  // of a comparison
  Operator op = Operator::equal;
  Literal literal;
};

}  // namespace fieldpost
