// {"@replace": {"pattern": "-", "replacement": "", "value": …}}: one text for another, twice at
// most.
//
// The pattern is plain text; the replacement is not: $$, $&, $` and $' mean what they mean to
// JavaScript. Texts are cut and counted in UTF-16 units.
#include <optional>

#include "base/letter_case.h"
#include "base/text.h"
#include "event/path.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/growth.h"
#include "mapping/options.h"
#include "mapping/path_quirks.h"

namespace fieldpost {
namespace {

constexpr std::size_t kLongest = 10;  // units of a pattern or a replacement

struct Manner {
  bool ignores_case = false;
  bool everywhere = true;
};

// What one match becomes. `begin` and `end` are the match in `text`.
void append_replacement(std::u16string_view replacement, std::u16string_view text,
                        std::size_t begin, std::size_t end, std::u16string& out) {
  for (std::size_t at = 0; at < replacement.size(); ++at) {
    const char16_t next = at + 1 < replacement.size() ? replacement[at + 1] : u'\0';
    if (replacement[at] != u'$' ||
        std::u16string_view(u"$&`'").find(next) == std::u16string::npos) {
      out.push_back(replacement[at]);
      continue;
    }
    ++at;
    if (next == u'$') out.push_back(u'$');
    if (next == u'&') out += text.substr(begin, end - begin);
    if (next == u'`') out += text.substr(0, begin);
    if (next == u'\'') out += text.substr(end);
  }
}

// One pattern and what it becomes.
class Exchange {
 public:
  Exchange(std::string_view pattern, std::string_view replacement, Manner manner)
      : pattern_(to_utf16(pattern)), replacement_(to_utf16(replacement)), manner_(manner) {
    if (manner_.ignores_case) fold(pattern_);
  }

  // Checked when a text comes, as in the reference.
  void check() const {
    if (pattern_.size() > kLongest || replacement_.size() > kLongest) {
      throw EventFault{"E407", "@replace takes patterns and replacements of up to 10 characters"};
    }
  }
  bool is_too_long() const { return pattern_.size() > kLongest || replacement_.size() > kLongest; }

  std::u16string run(const std::u16string& text) const {
    std::u16string searched = text;
    if (manner_.ignores_case) fold(searched);
    std::u16string out;
    std::size_t at = 0;
    for (std::size_t hit = searched.find(pattern_); hit != std::u16string::npos;
         hit = manner_.everywhere ? searched.find(pattern_, at) : std::u16string::npos) {
      out.append(text, at, hit - at);
      at = hit + pattern_.size();
      append_replacement(replacement_, text, hit, at, out);
      check_growth(out.size(), text.size());
    }
    return out.append(text, at);
  }

 private:
  static void fold(std::u16string& units) {
    for (char16_t& unit : units) unit = fold_case(unit);
  }

  std::u16string pattern_;
  std::u16string replacement_;
  Manner manner_;
};

class ReplaceNode final : public Node {
 public:
  ReplaceNode(NodePtr value, Exchange first, std::optional<Exchange> second, Digits digits)
      : value_(std::move(value)),
        first_(std::move(first)),
        second_(std::move(second)),
        digits_(digits) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    append_json_string(is_text(value.kind()) ? replaced(value) : "", out);
    return true;
  }

 private:
  static bool is_text(Value::Kind kind) {
    return kind == Value::Kind::string || kind == Value::Kind::number ||
           kind == Value::Kind::boolean;
  }

  std::string replaced(Value value) const {
    std::string text;
    value.append_text(text, digits_);
    first_.check();
    std::u16string units = first_.run(to_utf16(text));
    if (second_) {
      second_->check();
      units = second_->run(units);
    }
    return to_utf8(units);
  }

  NodePtr value_;
  Exchange first_;
  std::optional<Exchange> second_;
  Digits digits_;
};

// What the reference checks before it runs.
bool is_checked(Compiler& compiler, const Options& options) {
  bool right = options.needs("value") && options.text_or_directive("value");
  for (const char* key : {"pattern", "replacement"}) {
    if (!options.has(key) || !options[key].is_string()) continue;
    if (to_utf16(options[key].get<std::string>()).size() <= kLongest) continue;
    compiler.mistake("E203", "@replace takes a \"" + std::string(key) + "\" of up to 10 characters",
                     options.at(key), "replace in steps, one @replace inside the other");
    right = false;
  }
  for (const char* key : {"ignorecase", "global"}) {
    if (!options.has(key) || options[key].is_boolean()) continue;
    options.wrong(key, "true or false");
    right = false;
  }
  return right;
}

std::string text_or_empty(const Options& options, const char* key) {
  return options.has(key) && options[key].is_string() ? options[key].get<std::string>() : "";
}

bool holds_dollar_sign(std::string_view replacement) {
  for (const char* special : {"$$", "$&", "$`", "$'"}) {
    if (replacement.find(special) != std::string_view::npos) return true;
  }
  return false;
}

void warn_of_quirks(Compiler& compiler, const Options& options, const std::string& path) {
  for (const char* key : {"replacement", "replacement2"}) {
    if (!holds_dollar_sign(text_or_empty(options, key))) continue;
    compiler.warn("E229",
                  "$$, $&, $` and $' in a replacement stand for \"$\", the match and what is "
                  "around it",
                  options.at(key), "write \"$$\" for a \"$\"");
  }
  if (options.has("pattern2") && text_or_empty(options, "pattern2").empty()) {
    compiler.warn("E230", "\"pattern2\" is no text or empty, so it does nothing", path,
                  "leave it out");
  }
}

void warn_of_digits_of(Compiler& compiler, const Options& options) {
  if (!options.has("value") || !options["value"].is_object()) return;
  const Json& value = options["value"];
  if (!value.contains("@path") || !value.at("@path").is_string()) return;
  const Path read = parse_directive_path(value.at("@path").get<std::string>());
  warn_of_digits(compiler, read, options.at("value"),
                 "write {\"@string\": " + value.dump() + "} as the value");
}

}  // namespace

NodePtr compile_replace(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(
      compiler, "@replace", argument, path,
      {"pattern", "replacement", "pattern2", "replacement2", "ignorecase", "global", "value"});
  if (!options) return nullptr;
  bool right = options.needs_truthy("pattern") && options.text("pattern");
  right = options.text("replacement") && right;
  if (compiler.looks_closely()) right = is_checked(compiler, options) && right;
  NodePtr value = options.compile_truthy("value");
  if (!right) return nullptr;
  warn_of_quirks(compiler, options, path);
  warn_of_digits_of(compiler, options);
  if (!options.is_truthy("value")) return value;

  const Manner manner{options.is_truthy("ignorecase"),
                      !options.has("global") || options.is_truthy("global")};
  const Exchange first(text_or_empty(options, "pattern"), text_or_empty(options, "replacement"),
                       manner);
  std::optional<Exchange> second;
  const bool replacement2 = !options.has("replacement2") || options["replacement2"].is_string();
  if (const std::string pattern = text_or_empty(options, "pattern2");
      !pattern.empty() && replacement2) {
    second.emplace(pattern, text_or_empty(options, "replacement2"), manner);
    if (second->is_too_long()) {
      compiler.warn("E231",
                    "\"pattern2\" or \"replacement2\" is longer than 10 characters and fails "
                    "at the first text",
                    path, "replace in steps, one @replace inside the other");
    }
  }
  return std::make_unique<ReplaceNode>(std::move(value), first, std::move(second),
                                       compiler.digits());
}

}  // namespace fieldpost
