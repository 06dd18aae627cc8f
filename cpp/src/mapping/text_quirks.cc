#include "mapping/text_quirks.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

constexpr const char* kPath = "E290";
constexpr const char* kPlaceholder = "E291";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool may_begin_key(char c) { return is_letter(c) || c == '@' || c == '$'; }
bool may_be_in_key(char c) { return may_begin_key(c) || is_digit(c) || c == '-'; }

// One past the key that begins at `at`; `at` where none does. Blanks may stand inside where asked.
std::size_t key_end(std::string_view text, std::size_t at, bool blanks) {
  if (at == text.size() || !may_begin_key(text[at])) return at;
  std::size_t end = at + 1;
  while (end < text.size() && (may_be_in_key(text[end]) || (blanks && text[end] == ' '))) ++end;
  while (text[end - 1] == ' ') --end;
  return end;
}

// One past the brackets that begin at `at` and hold an index, a quoted key, "*" or nothing.
std::size_t brackets_end(std::string_view text, std::size_t at) {
  const std::size_t close = text.find(']', at);
  if (close == std::string_view::npos) return at;
  const std::string_view inside = text.substr(at + 1, close - at - 1);
  const bool is_index = inside.find_first_not_of("0123456789") == std::string_view::npos;
  const bool is_quoted = inside.size() > 2 && (inside[0] == '\'' || inside[0] == '"') &&
                         inside.back() == inside.front();
  return is_index || is_quoted || inside == "*" ? close + 1 : at;
}

// One past the steps (".key", "[0]", "['a key']") from `at` on.
std::size_t steps_end(std::string_view text, std::size_t at, bool blanks) {
  while (at < text.size()) {
    std::size_t end = at;
    if (text[at] == '.') {
      end = key_end(text, at + 1, blanks);
      if (end == at + 1 && end < text.size() && text[end] == '[') end = brackets_end(text, end);
      if (end == at + 1) return at;
    } else if (text[at] == '[') {
      end = brackets_end(text, at);
    }
    if (end == at) return at;
    at = end;
  }
  return at;
}

// "$." alone, or "$" and steps to the end; "$.50" has none.
bool is_path(std::string_view text) {
  if (text == "$.") return true;
  return text.size() > 2 && text[0] == '$' && steps_end(text, 1, true) == text.size();
}

// The first path within a text, as in "Hello $.traits.name!".
std::string_view path_within(std::string_view text) {
  for (std::size_t at = text.find("$."); at != std::string_view::npos;
       at = text.find("$.", at + 1)) {
    if (at > 0 && (may_be_in_key(text[at - 1]) || text[at - 1] == '{')) continue;
    const std::size_t end = steps_end(text, at + 1, false);
    if (end > at + 1) return text.substr(at, end - at);
  }
  return {};
}

// What stands between the first "{{" and "}}" that enclose a path.
std::optional<std::string_view> placeholder_within(std::string_view text) {
  for (std::size_t at = text.find("{{"); at != std::string_view::npos;
       at = text.find("{{", at + 1)) {
    const std::size_t close = text.find("}}", at);
    if (close == std::string_view::npos) return {};
    std::string_view inside = text.substr(at + 2, close - at - 2);
    if (inside.starts_with('{')) inside.remove_prefix(1);
    inside = trim(inside);
    const std::size_t first = key_end(inside, 0, true);
    if (first > 0 && steps_end(inside, first, true) == inside.size()) return inside;
  }
  return {};
}

std::string object_of(const char* directive, std::string_view text) {
  std::string quoted;
  append_json_string(text, quoted);
  return std::string("{\"") + directive + "\": " + quoted + "}";
}

// The directive that a text such as "@path: $.userId" spells, and its argument.
struct Spelled {
  std::string directive;
  std::string_view argument;
};
std::optional<Spelled> spelled(std::string_view text) {
  if (!text.starts_with('@')) return {};
  const std::size_t end = std::min(text.find_first_of(": "), text.size());
  const std::string name(text.substr(0, end));
  if (end == text.size() || find_directive(name) == nullptr) return {};
  const std::string_view argument = trim(text.substr(end + 1));
  const bool is_meant = text[end] == ':' ? !argument.empty() : is_path(argument);
  return is_meant ? std::optional(Spelled{name, argument}) : std::nullopt;
}

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

// "$.a[0]" as a placeholder has it: "a[0]".
std::string_view bare(std::string_view path) {
  path.remove_prefix(path.starts_with("$.") ? 2 : 1);
  return path;
}

}  // namespace

void warn_of_text(Compiler& compiler, std::string_view text, const std::string& path) {
  const std::string or_so = "; a text that is meant is written ";
  if (is_path(text)) {
    const std::string root = text.starts_with("$.") ? "" : "$.";
    compiler.warn(kPath, in_quotes(text) + " looks like a path, and is sent as a text", path,
                  "write " +
                      object_of("@path", root + std::string(text.substr(root.empty() ? 0 : 1))) +
                      or_so + object_of("@literal", text));
  } else if (const auto directive = spelled(text)) {
    compiler.warn(kPath,
                  "a text that begins with \"" + directive->directive +
                      "\" looks like a directive, and is sent as a text",
                  path,
                  "write " + object_of(directive->directive.c_str(), directive->argument) + or_so +
                      object_of("@literal", text));
  } else if (placeholder_within(text)) {
    compiler.warn(kPlaceholder,
                  "the braces in this text look like a template, and are sent as they stand", path,
                  "write " + object_of("@template", text) + or_so + object_of("@literal", text));
  }
}

void warn_of_template_text(Compiler& compiler, std::string_view text, const std::string& path) {
  const std::string_view found = path_within(text);
  if (found.empty()) return;
  compiler.warn(kPath,
                "in a template " + in_quotes(found) + " looks like a path, and is sent as a text",
                path, "write {{" + std::string(bare(found)) + "}}");
}

bool warn_of_braced_path(Compiler& compiler, std::string_view text, const std::string& path) {
  const auto found = placeholder_within(text);
  if (!found) return false;
  const bool is_all =
      text.starts_with("{{") && text.ends_with("}}") && text.find("}}") >= text.size() - 3;
  const std::string root = found->starts_with("$.") ? "" : "$.";
  compiler.warn(kPlaceholder, "a path takes no braces: " + in_quotes(text) + " finds nothing", path,
                is_all ? "write " + in_quotes(root + std::string(*found))
                       : "write " + object_of("@template", text));
  return true;
}

}  // namespace fieldpost
