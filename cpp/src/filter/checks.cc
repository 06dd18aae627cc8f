#include "filter/checks.h"

#include <algorithm>
#include <optional>

#include "fieldpost/error.h"
#include "filter/functions.h"
#include "filter/glob.h"

namespace fieldpost {
namespace {

[[noreturn]] void fail(std::string code, std::string message, std::string hint, const Term& at) {
  throw DocumentError(
      {{std::move(code), std::move(message), "", std::move(hint), at.begin, at.end}});
}

[[noreturn]] void fail(std::string code, std::string message, std::string hint,
                       const FilterNode& at) {
  throw DocumentError(
      {{std::move(code), std::move(message), "", std::move(hint), at.begin, at.end}});
}

bool is_constant(const Term& term) {
  if (term.kind == Term::Kind::literal) return true;
  return term.kind != Term::Kind::path &&
         std::all_of(term.items.begin(), term.items.end(), is_constant);
}

bool is_null(const Term& term) {
  return term.kind == Term::Kind::literal && term.literal.kind == Literal::Kind::null;
}

bool is_text(const Term& term) {
  return term.kind == Term::Kind::literal && term.literal.kind == Literal::Kind::string;
}

// The type that a term always has; a function that may also give null counts by its own type.
std::optional<Datum::Kind> type_of(const Term& term) {
  if (term.kind == Term::Kind::call) return term.function->result;
  if (term.kind != Term::Kind::literal) return {};
  switch (term.literal.kind) {
    case Literal::Kind::null:
      return Datum::Kind::nothing;
    case Literal::Kind::boolean:
      return Datum::Kind::boolean;
    case Literal::Kind::number:
      return Datum::Kind::number;
    default:
      return Datum::Kind::string;
  }
}

std::string call_name(const Term& call) { return std::string(call.function->name) + "()"; }

std::string told(const Term& term) {
  if (term.kind == Term::Kind::call) return call_name(term);
  if (is_null(term)) return "null";
  return "a " + std::string(type_name(*type_of(term)));
}

bool same_path(const Term& left, const Term& right) {
  return left.kind == Term::Kind::path && right.kind == Term::Kind::path && left.slot == right.slot;
}

void check_order(const FilterNode& node) {
  const std::string op(
      std::find_if(kOperators.begin(), kOperators.end(), [&](const OperatorRow& row) {
        return row.op == node.op;
      })->text);
  for (const Term* side : {&node.left, &node.right}) {
    const std::optional<Datum::Kind> type = type_of(*side);
    if (!type || *type == Datum::Kind::number) continue;
    const bool is_call = side->kind == Term::Kind::call;
    fail("E305", "\"" + op + "\" compares numbers",
         is_call ? call_name(*side) + " gives none" : "write a number without quotes", *side);
  }
}

// `call` is typeof(…), `name` a text it is compared with.
void check_type_name(const Term& name, const Grammar& grammar) {
  const std::string& text = name.literal.text;
  std::vector<std::string> names = {"string", "number", "list", "bool", "null", "object"};
  const bool known = std::find(names.begin(), names.end(), text) != names.end();
  if (!grammar.all_type_names && text != "string" && text != "number") {
    fail("E340",
         "typeof() names this type otherwise in Segment's documentation than in its evaluator",
         "fieldpost's own dialect has \"list\", \"bool\", \"null\" and \"object\"", name);
  }
  if (known) return;
  std::string near = did_you_mean(text, names);
  if (text == "boolean") near = "bool";
  if (text == "array") near = "list";
  if (text == "undefined") near = "null";
  fail("E307", "typeof() never gives this text",
       near.empty() ? "it gives string, number, list, bool, null or object"
                    : "did you mean \"" + near + "\"?",
       name);
}

// What a case function gives is left alone by the same function.
void check_case(const Term& call, const Term& text) {
  const Function function = call.function->function;
  if (function < Function::lowercase || function > Function::kebabcase) return;
  Texts texts;
  const Datum changed = fieldpost::call(function, datum(std::string_view(text.literal.text)), {},
                                        texts, Numbers::doubles);
  if (changed.text == text.literal.text) return;
  fail("E307", call_name(call) + " never gives this text",
       "write \"" + std::string(changed.text) + "\"", text);
}

// Whether one side can ever equal the other.
void check_equal(const Term& left, const Term& right, const Grammar& grammar) {
  const std::optional<Datum::Kind> one = type_of(left);
  const std::optional<Datum::Kind> other = type_of(right);
  if (!one || !other) return;
  const Term& call = left.kind == Term::Kind::call ? left : right;
  const Term& value = left.kind == Term::Kind::call ? right : left;
  if (call.kind != Term::Kind::call) return;
  // Segment's length() of what has none is documented as 0 and evaluated as no number: never null.
  const bool never_null = !grammar.all_type_names && call.function->function == Function::length;
  const bool fits = *one == *other || (is_null(value) && call.function->may_be_null && !never_null);
  if (!fits) {
    fail("E307", call_name(call) + " never equals " + told(value),
         "it gives a " + std::string(type_name(call.function->result)), value);
  }
  if (!is_text(value)) return;
  if (call.function->function == Function::type_of) return check_type_name(value, grammar);
  if (!grammar.constants) check_case(call, value);
}

void check_truth(const FilterNode& node, const Grammar& grammar) {
  const Term& term = node.left;
  const std::optional<Datum::Kind> type = type_of(term);
  if (type && *type != Datum::Kind::boolean) {
    const std::string what = told(term);
    fail("E312", what + " alone is no condition", "compare it with something", node);
  }
  if (is_constant(term) && !grammar.constants) {
    fail("E306", "a condition that is the same for every event",
         "write \"all\" to let every event through", node);
  }
}

}  // namespace

void check(const FilterNode& node, const Grammar& grammar) {
  if (node.kind == FilterNode::Kind::truth) return check_truth(node, grammar);
  const bool orders = node.op >= Operator::less && node.op <= Operator::greater_equal;
  if (orders) check_order(node);
  const bool empty = node.right.kind == Term::Kind::list && node.right.items.empty();
  if (!grammar.constants) {
    if (empty) fail("E306", "nothing is in an empty list", "", node);
    if (is_constant(node.left) && is_constant(node.right)) {
      fail("E306", "a condition that is the same for every event", "compare with a field", node);
    }
    if (same_path(node.left, node.right)) {
      fail("E306", "a field compared with itself", "compare with a text, a number or another field",
           node);
    }
  }
  if (orders) return;
  if (node.right.kind != Term::Kind::list) return check_equal(node.left, node.right, grammar);
  for (const Term& item : node.right.items) check_equal(node.left, item, grammar);
}

void check_arguments(const Term& call, const Grammar& grammar) {
  const FunctionRow& row = *call.function;
  if (call.items.size() != row.arguments) {
    fail("E308",
         call_name(call) + " takes " + (row.arguments == 1 ? "one argument" : "two arguments"),
         row.arguments == 2 ? "write " + std::string(row.name) + "(field, \"text\")" : "", call);
  }
  if (!row.takes_texts) return;
  for (const Term& item : call.items) {
    const std::optional<Datum::Kind> type = type_of(item);
    if (!type || *type == Datum::Kind::string || (is_null(item) && grammar.constants)) continue;
    const bool is_number = *type == Datum::Kind::number && item.kind == Term::Kind::literal;
    fail("E309", call_name(call) + " takes texts, not " + told(item),
         is_number ? "put quotes around the number" : "", item);
  }
  const bool has_pattern = row.function == Function::match && is_text(call.items[1]);
  if (has_pattern && !grammar.constants && !glob_is_well_formed(call.items[1].literal.text)) {
    fail("E310", "a pattern that matches nothing",
         "write \\\\ before a [ ] - or \\ that stands for itself", call.items[1]);
  }
}

}  // namespace fieldpost
