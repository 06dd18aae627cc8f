#include "event/path.h"

#include <algorithm>

namespace fieldpost {
namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Collects pieces; an empty one is no key, a quoted empty one is the key "".
class Pieces {
 public:
  void add(std::string_view piece) {
    if (piece.empty()) return;
    std::string key(piece);
    std::erase_if(key, is_quote);
    path_.push_back(std::move(key));
  }
  Path take() { return std::move(path_); }

 private:
  Path path_;
};

// Where the quoted key that begins at `at` ends (one past the closing quote), or npos.
std::size_t quoted_end(std::string_view text, std::size_t at) {
  const std::size_t close = text.find(text[at], at + 1);
  const bool ended =
      close != std::string_view::npos && close + 1 < text.size() && text[close + 1] == ']';
  return ended ? close + 1 : std::string_view::npos;
}

}  // namespace

Path parse_path(std::string_view text) {
  Pieces pieces;
  if (text.empty() || text == ".") return pieces.take();
  std::size_t begin = 0;
  std::size_t at = 0;
  const auto cut = [&](std::size_t width) {
    pieces.add(text.substr(begin, at - begin));
    at += width;
    begin = at;
  };
  while (at < text.size()) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    const char last = at > 0 ? text[at - 1] : '\0';
    if (text[at] == '.') {
      cut(1);
    } else if (text[at] == '[' && (is_quote(next) || is_digit(next))) {
      cut(1);
      const std::size_t end = is_quote(next) ? quoted_end(text, at) : std::string_view::npos;
      if (end != std::string_view::npos) at = end;
    } else if (text[at] == ']' && (is_quote(last) || is_digit(last))) {
      std::size_t run = 1;
      while (at + run < text.size() && text[at + run] == ']') ++run;
      cut(run);
    } else {
      ++at;
    }
  }
  cut(0);
  return pieces.take();
}

Path parse_directive_path(std::string_view text) {
  std::string normal(text);
  const std::size_t root = normal.find("$.");
  if (root != std::string::npos) normal.erase(root, 2);
  return parse_path(normal);
}

std::string path_text(const Path& path) {
  std::string text;
  for (const std::string& key : path) {
    const bool plain = !key.empty() && key.find_first_of(".[]'\"") == std::string::npos;
    if (plain || text.empty()) text.push_back('.');  // "$['a']" would begin with the key "$"
    text += plain ? key : "['" + key + "']";
  }
  return text;
}

}  // namespace fieldpost
