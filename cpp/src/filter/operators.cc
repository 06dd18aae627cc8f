#include "filter/operators.h"

#include "base/number.h"
#include "filter/ast.h"

namespace fieldpost {
namespace {

bool same_text(Value actual, const std::string& expected) {
  if (actual.kind() != Value::Kind::string) return false;
  const std::string_view inside = actual.token().substr(1, actual.token().size() - 2);
  if (inside.find('\\') == std::string_view::npos) return inside == expected;
  return actual.string() == expected;
}

bool equal(Value actual, const Literal& expected) {
  switch (expected.kind) {
    case Literal::Kind::null:
      return actual.is_nothing();
    case Literal::Kind::boolean:
      return actual.token() == (expected.truth ? "true" : "false");
    case Literal::Kind::string:
      return same_text(actual, expected.text);
    case Literal::Kind::number:
      break;
  }
  return actual.kind() == Value::Kind::number && parse_number(actual.token()) == expected.number;
}

}  // namespace

bool compare(Value actual, Operator op, const Literal& expected) {
  if (op == Operator::equal) return equal(actual, expected);
  if (op == Operator::not_equal) return !equal(actual, expected);
  if (actual.kind() != Value::Kind::number) return false;
  const double left = parse_number(actual.token());
  switch (op) {
    case Operator::less:
      return left < expected.number;
    case Operator::less_equal:
      return left <= expected.number;
    case Operator::greater:
      return left > expected.number;
    default:
      return left >= expected.number;
  }
}

}  // namespace fieldpost
