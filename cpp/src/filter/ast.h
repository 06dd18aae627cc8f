// What a filter's text says, as a tree. Built by the dialects, run by evaluator.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "filter/datum.h"
#include "filter/operators.h"

namespace fieldpost {

struct FunctionRow;

struct Literal {
  enum class Kind : std::uint8_t { null, boolean, number, string };
  Kind kind = Kind::null;
  bool truth = false;
  double number = 0;
  std::string text;  // of a number its digits, as JSON has them
};

// Something that has a value.
struct Term {
  static constexpr std::uint32_t kNoParent = UINT32_MAX;
  enum class Kind : std::uint8_t { literal, path, call, list };
  Kind kind = Kind::literal;
  Literal literal;
  Numbers numbers = Numbers::doubles;
  std::uint32_t slot = 0;  // of a path
  // Of a path that is followed strictly and has more than one key: what stands around its last key.
  std::uint32_t parent = kNoParent;
  bool ends_in_length = false;
  const FunctionRow* function = nullptr;  // of a call
  std::vector<Term> items;                // arguments of a call, elements of a list
  std::size_t begin = 0;                  // bytes of the filter's text
  std::size_t end = 0;
};

struct FilterNode {
  // truth: `left` is exactly true.
  enum class Kind : std::uint8_t { all, both, either, negation, comparison, truth };
  Kind kind = Kind::all;
  std::vector<std::unique_ptr<FilterNode>> children;
  Operator op = Operator::equal;
  Term left;
  Term right;
  std::size_t begin = 0;
  std::size_t end = 0;
};

using FilterNodePtr = std::unique_ptr<FilterNode>;

}  // namespace fieldpost
