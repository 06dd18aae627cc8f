#include "filter/operators.h"

#include "base/number.h"

namespace fieldpost {
namespace {

// Negative, 0 or positive.
int order(const Datum& left, const Datum& right) {
  if (left.number != right.number) return left.number < right.number ? -1 : 1;
  if (left.digits.empty() || right.digits.empty()) return 0;
  return compare_numbers(left.digits, right.digits);
}

bool same_text(Value left, Value right) {
  if (left.token() == right.token()) return true;
  std::string one;
  std::string other;
  left.append_json(one);
  right.append_json(other);
  return one == other;
}

bool equal(const Datum& left, const Datum& right) {
  if (left.kind != right.kind) return false;
  switch (left.kind) {
    case Datum::Kind::nothing:
      return true;
    case Datum::Kind::boolean:
      return left.truth == right.truth;
    case Datum::Kind::number:
      return order(left, right) == 0;
    case Datum::Kind::string:
      return left.text == right.text;
    default:
      return left.by_digits ? same_json(left.value, right.value)
                            : same_text(left.value, right.value);
  }
}

bool ordered(int order, Operator op) {
  switch (op) {
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    case Operator::greater_equal:
      return order >= 0;
    default:
      return order != 0;
  }
}

bool compare_texts(std::string_view left, Operator op, std::string_view right) {
  switch (op) {
    case Operator::has_text:
      return left.find(right) != std::string_view::npos;
    case Operator::lacks_text:
      return left.find(right) == std::string_view::npos;
    case Operator::starts_with:
      return left.starts_with(right);
    case Operator::starts_not_with:
      return !left.starts_with(right);
    case Operator::ends_with:
      return left.ends_with(right);
    default:
      return !left.ends_with(right);
  }
}

}  // namespace

const OperatorRow* operator_row(std::string_view text) {
  for (const OperatorRow& row : kOperators) {
    if (row.text == text) return &row;
  }
  return nullptr;
}

bool compare(const Datum& left, Operator op, const Datum& right) {
  if (op == Operator::equal) return equal(left, right);
  if (op == Operator::not_equal) return !equal(left, right);
  if (op < Operator::in || op == Operator::other_number) {
    return left.kind == Datum::Kind::number && right.kind == Datum::Kind::number &&
           ordered(order(left, right), op);
  }
  return left.kind == Datum::Kind::string && compare_texts(left.text, op, right.text);
}

}  // namespace fieldpost
