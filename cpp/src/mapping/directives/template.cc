// {"@template": "Call {{properties.name}}"}: text with the values of paths put in.
//
// Two passes, as in Segment's engine: {{{path}}} first, then {{path}}; so what the first pass put
// in is scanned again by the second. A missing value is "".
#include <optional>
#include <utility>

#include "base/text.h"
#include "event/path.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/growth.h"
#include "mapping/path_quirks.h"
#include "mapping/text_quirks.h"

namespace fieldpost {
namespace {

struct Placeholder {
  std::size_t begin;
  std::size_t end;  // one past its last brace
  std::string_view path;
};

// The next `braces` times "{", one or more characters but "}", `braces` times "}".
std::optional<Placeholder> next_placeholder(std::string_view text, std::size_t from, int braces) {
  const std::string open(braces, '{');
  const std::string close(braces, '}');
  for (std::size_t at = text.find(open, from); at != std::string_view::npos;
       at = text.find(open, at + 1)) {
    const std::size_t inside = at + open.size();
    const std::size_t end = text.find('}', inside);
    if (end == std::string_view::npos) return {};
    if (!text.substr(end).starts_with(close)) {
      at = end;  // what opens before this brace ends at it as well
    } else if (end > inside) {
      return Placeholder{at, end + close.size(), trim(text.substr(inside, end - inside))};
    }
  }
  return {};
}

template <typename Append>
std::string replace_placeholders(std::string_view text, int braces, Append append_value) {
  std::string out;
  std::size_t at = 0;
  while (const auto found = next_placeholder(text, at, braces)) {
    out += text.substr(at, found->begin - at);
    append_value(found->path, out);
    at = found->end;
  }
  out += text.substr(at);
  return out;
}

// Where what `$.` means is undefined (of @transform, or an item), {{.}} takes it for an empty
// object.
constexpr const char* kEmptyObject = "[object Object]";

bool is_absent_whole(Value found, const Path& path) { return found.is_undefined() && path.empty(); }

// A text known when the mapping is compiled, without {{{ }}}. What stands between the placeholders
// is kept as JSON, and texts are put in with the escapes they have: nothing is opened to be closed
// again.
class TemplateNode final : public PuttingNode {
 public:
  TemplateNode(std::string_view text, Compiler& compiler) : digits_(compiler.digits()) {
    std::string before = "\"";
    std::size_t at = 0;
    while (const auto found = next_placeholder(text, at, 2)) {
      before += escaped(text.substr(at, found->begin - at));
      pieces_.push_back({WideText(std::exchange(before, "")),
                         compiler.reach(parse_path(found->path), Taken::as_text)});
      at = found->end;
    }
    tail_ = WideText(before + escaped(text.substr(at)) + "\"");
  }
  bool put(const Scope& scope, Writer& writer) const override {
    for (const auto& [before, reach] : pieces_) {
      before.put(writer);
      put_value(scope, reach, writer);
    }
    tail_.put(writer);
    return true;
  }

 private:
  static std::string escaped(std::string_view text) {
    std::string json;
    append_json_string(text, json);
    return json.substr(1, json.size() - 2);
  }

  void put_value(const Scope& scope, const Reach& reach, Writer& writer) const {
    const Found* kept = scope.kept(reach);
    if (kept != nullptr && kept->data != nullptr && *kept->data == '"') {
      writer.put(Value(kept->token()).inside(), scope.readable());
      return;
    }
    writer.in_string([&](std::string& out) {
      std::string scratch;
      const Value found = scope.find(reach, scratch);
      if (is_absent_whole(found, reach.path)) {
        out += kEmptyObject;
      } else {
        found.append_text_escaped(out, digits_);
      }
      return true;
    });
  }

  struct Piece {
    WideText before;
    Reach reach;
  };
  std::vector<Piece> pieces_;
  WideText tail_;
  Digits digits_;
};

// A text that the event gives, or one with {{{ }}}: both passes run for each event.
class ScannedTemplateNode final : public Node {
 public:
  ScannedTemplateNode(NodePtr text, Reach root, Digits digits)
      : text_(std::move(text)), root_(std::move(root)), digits_(digits) {}
  bool write(const Scope& scope, std::string& out) const override {
    std::string held;
    const Value text = text_->value(scope, held);
    if (!text.is_string()) {
      throw EventFault{"E407",
                       std::string("@template expects a text, got ") + kind_name(text.kind())};
    }
    std::size_t placeholders = 0;
    const auto append_value = [&](std::string_view path, std::string& to) {
      // Each is looked for in the whole event, and an event may hold as many as it is long.
      if (++placeholders > kMostPlaceholders) {
        throw EventFault{"E407", "@template takes at most 1000 placeholders of an event's text"};
      }
      std::string whole;
      std::string scratch;
      const Path keys = parse_path(path);
      const Value found = scope.find(root_, whole).follow(keys, 0, scratch);
      if (is_absent_whole(found, keys)) {
        to += kEmptyObject;
      } else {
        found.append_text(to, digits_);
      }
      check_growth(to.size(), text.token().size());
    };
    const std::string once = replace_placeholders(text.string(), 3, append_value);
    append_json_string(replace_placeholders(once, 2, append_value), out);
    return true;
  }

 private:
  static constexpr std::size_t kMostPlaceholders = 1000;

  NodePtr text_;
  Reach root_;
  Digits digits_;
};

void warn_of_quirks(Compiler& compiler, std::string_view text, const std::string& path) {
  if (next_placeholder(text, 0, 3)) {
    compiler.warn("E236",
                  "what {{{ }}} puts in is scanned for {{ }} again, so an event can name paths",
                  path, "write {{ }}");
  }
  warn_of_template_text(compiler, text, path);
  std::size_t at = 0;
  while (const auto found = next_placeholder(text, at, 2)) {
    at = found->end;
    warn_of_placeholder(compiler, found->path, path);
    const Path read = parse_path(found->path);
    const std::string made = "{\"@string\": {\"@path\": \"$" + path_text(read) + "\"}}";
    const bool is_all = found->begin == 0 && found->end == text.size();
    warn_of_digits(compiler, read, path,
                   is_all ? "write " + made
                          : "make a text of it first: {\"@transform\": {\"apply\": {\"id\": " +
                                made + "}, \"mapping\": {\"@template\": \"… {{id}}\"}}}");
  }
}

}  // namespace

NodePtr compile_template(Compiler& compiler, const Json& argument, const std::string& path) {
  if (!argument.is_string() && !has_directive_key(argument)) {
    compiler.mistake("E203",
                     "expected a text (a string or a directive), got " + type_name(argument), path,
                     "for example \"Call {{properties.name}}\"");
    return nullptr;
  }
  const std::string text = argument.is_string() ? argument.get<std::string>() : "";
  warn_of_quirks(compiler, text, path);
  if (argument.is_string() && !next_placeholder(text, 0, 3)) {
    return std::make_unique<TemplateNode>(text, compiler);
  }
  NodePtr scanned = argument.is_string() ? compiler.compile_meant(argument, path)
                                         : compiler.compile(argument, path);
  return std::make_unique<ScannedTemplateNode>(std::move(scanned), compiler.reach({}),
                                               compiler.digits());
}

}  // namespace fieldpost
