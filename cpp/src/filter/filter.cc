#include "fieldpost/filter.h"

#include "event/selection.h"
#include "fieldpost/error.h"
#include "filter/ast.h"
#include "filter/dialects.h"
#include "filter/evaluator.h"
#include "filter/explain.h"

namespace fieldpost {
namespace {

FilterNodePtr parse(std::string_view text, Selection& selection, Dialect dialect) {
  switch (dialect) {
    case Dialect::trigger:
      return parse_trigger(text, selection);
    case Dialect::destination:
      return parse_destination(text, selection);
    default:
      return parse_fieldpost(text, selection);
  }
}

// Parsers count bytes, authors characters.
FilterNodePtr parse_counting_characters(std::string_view text, Selection& selection,
                                        Dialect dialect) {
  try {
    return parse(text, selection, dialect);
  } catch (const DocumentError& error) {
    std::vector<Mistake> mistakes = error.mistakes();
    for (Mistake& mistake : mistakes) {
      mistake.begin = characters(text, mistake.begin);
      mistake.end = characters(text, mistake.end);
    }
    throw DocumentError(std::move(mistakes));
  }
}

}  // namespace

Dialect dialect_named(std::string_view name) {
  if (name == "fieldpost") return Dialect::fieldpost;
  if (name == "trigger") return Dialect::trigger;
  if (name == "destination") return Dialect::destination;
  throw DocumentError({{"E315", "an unknown dialect \"" + std::string(name) + "\"", "",
                        "known: fieldpost, trigger, destination"}});
}

Filter::Filter(std::string_view text, Selection& selection, Dialect dialect)
    : text_(text), root_(parse_counting_characters(text, selection, dialect)) {}
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

bool Filter::matches(const Slots& slots) const {
  Texts texts;
  return matches(slots, texts);
}

bool Filter::matches(const Slots& slots, Texts& texts) const {
  texts.clear();
  return holds(*root_, slots, texts);
}

std::string Filter::explain(const Slots& slots) const {
  return fieldpost::explain(*root_, text_, slots);
}

}  // namespace fieldpost
