// Segment's destination filters, as their documentation describes them. What the documentation and
// the evaluator in Segment's libraries read differently is refused where the text shows it.
#include "fieldpost/error.h"
#include "filter/dialects.h"
#include "filter/parser.h"

namespace fieldpost {
namespace {

constexpr std::size_t kLongest = 5 * 1024;

}  // namespace

FilterNodePtr parse_destination(std::string_view text, Selection& selection) {
  if (text.size() > kLongest) {
    throw DocumentError({{"E316", "longer than the 5 KB that Segment takes", "",
                          "fieldpost's own dialect has no limit", 0, text.size()}});
  }
  Grammar grammar;
  grammar.constants = true;
  grammar.brackets = false;
  grammar.lists_of_events = false;
  grammar.all_type_names = false;
  grammar.numbers = Numbers::doubles;
  return parse_filter(text, grammar, selection);
}

}  // namespace fieldpost
