#include "filter/glob.h"

#include <algorithm>
#include <cstddef>

namespace fieldpost {
namespace {

std::size_t character_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return std::min(size, text.size());
}

std::string_view take_character(std::string_view& text) {
  const std::string_view character = text.substr(0, character_size(text));
  text.remove_prefix(character.size());
  return character;
}

// One end of a range; "" where the brackets are malformed. UTF-8 sorts as its code points do.
std::string_view range_end(std::string_view& pattern) {
  if (pattern.empty() || pattern[0] == '-' || pattern[0] == ']') return {};
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  return pattern.empty() ? std::string_view() : take_character(pattern);
}

struct Class {
  bool well_formed = false;
  bool hit = false;
};

// `pattern` stands behind "[" and is left behind "]".
Class read_class(std::string_view& pattern, std::string_view character) {
  const bool negated = !pattern.empty() && pattern[0] == '^';
  if (negated) pattern.remove_prefix(1);
  bool hit = false;
  for (bool first = true; first || pattern.empty() || pattern[0] != ']'; first = false) {
    const std::string_view low = range_end(pattern);
    std::string_view high = low;
    if (!pattern.empty() && pattern[0] == '-') {
      pattern.remove_prefix(1);
      high = range_end(pattern);
    }
    if (low.empty() || high.empty()) return {};
    hit = hit || (low <= character && character <= high);
  }
  pattern.remove_prefix(1);
  return {true, hit != negated};
}

// Takes one element (not "*") off the pattern and one character off the text.
bool step(std::string_view& text, std::string_view& pattern) {
  if (text.empty()) return false;
  if (pattern[0] == '[') {
    pattern.remove_prefix(1);
    return read_class(pattern, take_character(text)).hit;
  }
  if (pattern[0] == '?') {
    pattern.remove_prefix(1);
    take_character(text);
    return true;
  }
  if (pattern[0] == '\\') pattern.remove_prefix(1);
  return take_character(pattern) == take_character(text);
}

}  // namespace

bool glob_is_well_formed(std::string_view pattern) {
  while (!pattern.empty()) {
    const char first = pattern[0];
    pattern.remove_prefix(1);
    if (first == '[' && !read_class(pattern, "").well_formed) return false;
    if (first != '\\') continue;
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);
  }
  return true;
}

// Only the last star has to be tried again: what came before it is matched as early as can be.
bool glob_matches(std::string_view text, std::string_view pattern) {
  if (!glob_is_well_formed(pattern)) return false;
  std::string_view after_star;
  std::string_view retry;
  bool starred = false;
  while (!text.empty() || !pattern.empty()) {
    if (!pattern.empty() && pattern[0] == '*') {
      pattern.remove_prefix(1);
      after_star = pattern;
      retry = text;
      starred = true;
      continue;
    }
    if (!pattern.empty() && step(text, pattern)) continue;
    if (!starred || retry.empty()) return false;
    take_character(retry);
    text = retry;
    pattern = after_star;
  }
  return true;
}

}  // namespace fieldpost
