// Our own dialect: the whole grammar, and nothing that could be meant otherwise.
#include "filter/dialects.h"
#include "filter/parser.h"

namespace fieldpost {

FilterNodePtr parse_fieldpost(std::string_view text, Selection& selection) {
  return parse_filter(text, Grammar{}, selection);
}

}  // namespace fieldpost
