#include "event/escapes.h"

#include "base/text.h"

namespace fieldpost {

void Escapes::find(std::string_view text) {
  places_.clear();
  broken_.clear();
  for (std::size_t at = text.find('\\'); at < text.size();) {
    places_.push_back(static_cast<std::uint32_t>(at));
    std::size_t size = escape_size(text.substr(at));
    if (size == 0) {
      broken_.push_back(static_cast<std::uint32_t>(at));
      size = 2;  // the byte after a backslash never begins an escape
    }
    at += size;
    if (at < text.size() && text[at] != '\\') at = text.find('\\', at);
  }
  places_.push_back(kNone);
  broken_.push_back(kNone);
}

}  // namespace fieldpost
