#include "filter/evaluator.h"

#include <algorithm>

#include "base/number.h"
#include "base/text.h"
#include "filter/functions.h"

namespace fieldpost {
namespace {

// Takes room for a text only where one has to be computed.
Value slot_value(std::uint32_t slot, const Slots& slots, Texts& texts) {
  const Found& found = slots.event().found(slot);
  return found.is_part ? slots.value(slot, texts.next()) : Value(found.token());
}

// A path compared with a text: the most common condition. Its token is not opened where it shows
// by itself.
bool is_text(const Term& path, const std::string& text, const Slots& slots, Texts& texts) {
  const Value value = read(path, slots, texts);
  if (!value.is_string()) return false;
  const std::string_view inside = value.inside();
  // An escape is longer than what it stands for.
  if (inside.size() < text.size()) return false;
  const bool has_escape = inside.find('\\') != std::string_view::npos;
  return has_escape ? value.string() == text : inside == text;
}

bool compares_path_with_text(const FilterNode& node) {
  return (node.op == Operator::equal || node.op == Operator::not_equal) &&
         node.left.kind == Term::Kind::path && node.right.kind == Term::Kind::literal &&
         node.right.literal.kind == Literal::Kind::string;
}

bool is_in(const Datum& value, const Term& list, const Slots& slots, Texts& texts) {
  if (list.kind == Term::Kind::list) {
    return std::any_of(list.items.begin(), list.items.end(), [&](const Term& item) {
      return compare(value, Operator::equal, evaluate(item, slots, texts));
    });
  }
  const Datum elements = evaluate(list, slots, texts);
  bool found = false;
  if (elements.kind != Datum::Kind::list) return found;
  each_element(elements.value, [&](Value element) {
    found = compare(value, Operator::equal, datum_of(element, texts, list.numbers));
    return !found;
  });
  return found;
}

}  // namespace

Datum datum_of(const Literal& literal, Numbers numbers) {
  switch (literal.kind) {
    case Literal::Kind::boolean:
      return datum(literal.truth);
    case Literal::Kind::number:
      return numbers == Numbers::digits ? datum(literal.number, literal.text)
                                        : datum(literal.number);
    case Literal::Kind::string:
      return datum(std::string_view(literal.text));
    default:
      return {};
  }
}

Datum datum_of(Value value, Texts& texts, Numbers numbers) {
  Datum result;
  result.by_digits = numbers == Numbers::digits;
  switch (value.kind()) {
    case Value::Kind::boolean:
      return datum(value.token()[0] == 't');
    case Value::Kind::number:
      return datum(parse_number(value.token()), result.by_digits ? value.token() : "");
    case Value::Kind::array:
      result.kind = Datum::Kind::list;
      break;
    case Value::Kind::object:
      result.kind = Datum::Kind::object;
      break;
    case Value::Kind::string: {
      const std::string_view inside = value.token().substr(1, value.token().size() - 2);
      if (inside.find('\\') == std::string_view::npos) return datum(inside);
      std::string& text = texts.next();
      append_unescaped(inside, text);
      return datum(std::string_view(text));
    }
    default:
      return result;
  }
  result.value = value;
  return result;
}

Value read(const Term& path, const Slots& slots, Texts& texts) {
  if (path.parent != Term::kNoParent) {
    const Value::Kind parent = slot_value(path.parent, slots, texts).kind();
    const bool opens =
        parent == Value::Kind::object || (parent == Value::Kind::array && !path.ends_in_length);
    if (!opens) return {};
  }
  return slot_value(path.slot, slots, texts);
}

Datum evaluate(const Term& term, const Slots& slots, Texts& texts) {
  switch (term.kind) {
    case Term::Kind::literal:
      return datum_of(term.literal, term.numbers);
    case Term::Kind::path:
      return datum_of(read(term, slots, texts), texts, term.numbers);
    case Term::Kind::call: {
      const Datum first = evaluate(term.items[0], slots, texts);
      const Datum second = term.items.size() > 1 ? evaluate(term.items[1], slots, texts) : Datum();
      return call(term.function->function, first, second, texts, term.numbers);
    }
    default:
      return {};  // a list stands behind "in" only
  }
}

bool holds(const FilterNode& node, const Slots& slots, Texts& texts) {
  const auto child_holds = [&](const auto& child) { return holds(*child, slots, texts); };
  switch (node.kind) {
    case FilterNode::Kind::all:
      return true;
    case FilterNode::Kind::both:
      return std::all_of(node.children.begin(), node.children.end(), child_holds);
    case FilterNode::Kind::either:
      return std::any_of(node.children.begin(), node.children.end(), child_holds);
    case FilterNode::Kind::negation:
      return !child_holds(node.children[0]);
    case FilterNode::Kind::truth: {
      const Datum value = evaluate(node.left, slots, texts);
      return value.kind == Datum::Kind::boolean && value.truth;
    }
    case FilterNode::Kind::comparison:
      break;
  }
  if (compares_path_with_text(node)) {
    return is_text(node.left, node.right.literal.text, slots, texts) ==
           (node.op == Operator::equal);
  }
  const Datum left = evaluate(node.left, slots, texts);
  if (node.op == Operator::in) return is_in(left, node.right, slots, texts);
  return compare(left, node.op, evaluate(node.right, slots, texts));
}

}  // namespace fieldpost
