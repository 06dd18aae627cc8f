#include "mapping/path_quirks.h"

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

void warn_of_signs(Compiler& compiler, std::string_view text, const std::string& path) {
  const std::string quoted = "\"" + std::string(text) + "\"";
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

}  // namespace

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
