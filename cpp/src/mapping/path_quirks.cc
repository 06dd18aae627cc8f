#include "mapping/path_quirks.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "mapping/text_quirks.h"

namespace fieldpost {
namespace {

bool is_quote(char c) { return c == '"' || c == '\''; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A quote that is not one of the pair in ['…'].
bool holds_stray_quote(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_quote(text[at])) continue;
    const bool opens = at > 0 && text[at - 1] == '[';
    const bool closes = at + 1 < text.size() && text[at + 1] == ']';
    if (!opens && !closes) return true;
  }
  return false;
}

// A "[" that opens no index and no quoted key.
bool holds_plain_bracket(std::string_view text) {
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (!is_quote(next) && !is_digit(next)) return true;
  }
  return false;
}

// The sign or blank that a list, a sentence or a copy left behind the path; "" where there is none.
std::string stray_end(std::string_view text) {
  if (text.size() < 2) return "";
  const char last = text.back();
  if (last == ',' || last == ';') return std::string(1, last);
  return last == ' ' || text.front() == ' ' ? "blank" : "";
}

void warn_of_signs(Compiler& compiler, std::string_view text, const std::string& path) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const std::string stray = stray_end(text);
  if (stray == "blank") {
    compiler.warn("E165", "the blank around " + quoted + " belongs to the key", path,
                  "leave it out, or write ['a key '] for a key that has one");
  } else if (!stray.empty()) {
    compiler.warn("E165", "the \"" + stray + "\" at the end of " + quoted + " belongs to the key",
                  path, "leave it out, or write ['a" + stray + "'] for a key that has one");
  }
  if (holds_stray_quote(text)) {
    compiler.warn("E165", "quotes within a key are taken away, so " + quoted + " finds another key",
                  path, "no path reaches a key with a quote; rename the key in a function");
  }
  if (holds_plain_bracket(text)) {
    compiler.warn(
        "E165",
        "in " + quoted +
            " a \"[\" belongs to the key, because neither a number nor a quote follows it",
        path, "write [0] for an element, ['a key'] for a key, @arrayPath for every element");
  }
}

// Keys such as id, orderId, order_id, orderID; Segment's own ids at the top of an event are texts.
bool names_an_id(const Path& path) {
  if (path.empty()) return false;
  const std::string& key = path.back();
  constexpr std::string_view kTexts[] = {"userId", "anonymousId", "messageId", "groupId",
                                         "previousId"};
  if (path.size() == 1 &&
      std::find(std::begin(kTexts), std::end(kTexts), key) != std::end(kTexts)) {
    return false;
  }
  const std::string word = ascii_lower(key);
  if (word == "id") return true;
  if (word.ends_with("uuid") || word.ends_with("guid")) return false;
  if (key.ends_with("Id") || key.ends_with("ID")) return true;
  return key.ends_with("_id") || key.ends_with("-id") || key.ends_with(" id");
}

}  // namespace

void warn_of_digits(Compiler& compiler, const Path& read, const std::string& path,
                    const std::string& hint) {
  if (compiler.digits() == Digits::own || !names_an_id(read)) return;
  compiler.warn("E238",
                "\"" + path_text(read).substr(1) +
                    "\" looks like an id; a number beyond 2^53 is rounded here, as in Segment's "
                    "engine",
                path, hint);
}

void warn_of_path(Compiler& compiler, std::string_view text, const std::string& path) {
  if (warn_of_braced_path(compiler, text, path)) return;
  const std::string quoted = "\"" + std::string(text) + "\"";
  if (text.starts_with("$[") || text == "$") {
    compiler.warn("E224", quoted + " begins with the key \"$\", so it finds nothing", path,
                  "write \"$." + std::string(text.substr(1)) + "\"");
  } else if (const std::size_t root = text.find("$."); root != std::string::npos && root > 0) {
    compiler.warn("E224", "the \"$.\" inside " + quoted + " is taken away, wherever it stands",
                  path, "begin the path with \"$.\"");
  }
  warn_of_signs(compiler, text, path);
}

void warn_of_placeholder(Compiler& compiler, std::string_view text, const std::string& path) {
  if (text.starts_with("$.")) {
    compiler.warn(
        "E237",
        "a placeholder takes no \"$.\": {{" + std::string(text) + "}} looks for a key \"$\"", path,
        "write {{" + std::string(text.substr(2)) + "}}");
  }
  warn_of_signs(compiler, text, path);
}

}  // namespace fieldpost
