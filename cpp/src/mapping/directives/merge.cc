// {"@merge": {"direction": "right", "objects": [a, b]}}: the members of all; the last one counts,
// with "left" the first. Nested objects are replaced, not merged.
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "event/object.h"
#include "mapping/directives.h"
#include "mapping/options.h"
#include "mapping/shape.h"

namespace fieldpost {
namespace {

// What Object.assign copies: members of objects, elements of lists, units of texts.
void assign(Value source, ObjectText& target) {
  std::size_t index = 0;
  if (source.kind() == Value::Kind::object) {
    for (const Member& member : members_of(source)) target.put(member.key, member.value.token());
  } else if (source.kind() == Value::Kind::array) {
    Value element;
    for (Elements elements(source); elements.next(element);) {
      target.put(std::to_string(index++), element.token());
    }
  } else if (source.is_string()) {
    for (const char16_t unit : to_utf16(source.string())) {
      std::string json;
      append_json_string(to_utf8({&unit, 1}), json);
      target.put(std::to_string(index++), json);
    }
  }
}

class MergeNode final : public Node {
 public:
  explicit MergeNode(std::vector<NodePtr> sources) : sources_(std::move(sources)) {}

  bool write(const Scope& scope, std::string& out) const override {
    ObjectText merged;
    for (const NodePtr& source : sources_) {
      std::string scratch;
      assign(source->value(scope, scratch), merged);
    }
    return write_object(merged, scope, out);
  }

 private:
  std::vector<NodePtr> sources_;
};

bool is_direction(const Json& direction) {
  if (!direction.is_string()) return false;
  auto word = direction.get<std::string>();
  std::transform(word.begin(), word.end(), word.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return word == "left" || word == "right";
}

// May be missing for some event, whatever it is of.
bool may_be_undefined(const Json& member) {
  return has_directive_key(member) && !member.contains("@template") && !member.contains("@replace");
}

bool may_have(const Json& object, const std::string& key) {
  return has_directive_key(object) || (object.is_object() && object.contains(key));
}

// In the order in which they are assigned, the last one winning.
void warn_of_gaps(Compiler& compiler, const std::vector<const Json*>& ordered,
                  const std::vector<std::string>& paths) {
  for (std::size_t i = 1; i < ordered.size(); ++i) {
    if (!ordered[i]->is_object() || has_directive_key(*ordered[i])) continue;
    for (const auto& [key, value] : ordered[i]->items()) {
      const bool hides =
          may_be_undefined(value) &&
          std::any_of(ordered.begin(), ordered.begin() + static_cast<std::ptrdiff_t>(i),
                      [&key = key](const Json* earlier) { return may_have(*earlier, key); });
      if (!hides) continue;
      compiler.warn("E167",
                    "where \"" + key +
                        "\" is missing here, @merge also takes away what another object has for it",
                    member_path(paths[i], key),
                    "write {\"@default\": [this, the other value]}, or leave the key out here");
    }
  }
}

void warn_of_quirks(Compiler& compiler, const Options& options) {
  const Json& listed = options["objects"];
  std::vector<const Json*> ordered;
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    paths.push_back(options.at("objects") + "[" + std::to_string(i) + "]");
    ordered.push_back(&listed[i]);
    if (!listed[i].is_string() && !listed[i].is_array()) continue;
    compiler.warn("E168", "@merge takes a text or a list apart, into keys \"0\", \"1\", …",
                  paths.back(), "write an object");
  }
  if (options.is("direction", "left")) {
    std::reverse(ordered.begin(), ordered.end());
    std::reverse(paths.begin(), paths.end());
  }
  warn_of_gaps(compiler, ordered, paths);
}

bool is_checked(const Options& options) {
  bool right = true;
  if (options.has("direction") && !is_direction(options["direction"])) {
    right = options.one_of("direction", {"left", "right"});
  }
  return right;
}

}  // namespace

NodePtr compile_merge(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@merge", argument, path, {"objects", "direction"});
  if (!options) return nullptr;
  bool right = options.needs_truthy("direction", "\"right\" (the last counts) or \"left\"");
  if (compiler.looks_closely()) right = is_checked(options) && right;
  if (!options.needs("objects")) return nullptr;
  const Json& listed = options["objects"];
  if (!listed.is_array()) {
    options.wrong("objects", "a list");
    return nullptr;
  }
  std::vector<NodePtr> sources;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const std::string at = options.at("objects") + "[" + std::to_string(i) + "]";
    if (compiler.looks_closely() && !listed[i].is_object()) {
      compiler.mistake("E203", "@merge expects objects or directives, got " + type_name(listed[i]),
                       at);
      right = false;
      continue;
    }
    sources.push_back(compiler.compile(listed[i], at));
  }
  if (!right) return nullptr;
  warn_of_quirks(compiler, options);
  if (options.is("direction", "left")) {
    std::reverse(sources.begin(), sources.end());
  } else if (!options.is("direction", "right")) {
    compiler.warn("E235",
                  "\"direction\" is compared letter by letter, so this one acts as \"right\"",
                  options.at("direction"), "write \"left\" or \"right\"");
  }
  return std::make_unique<MergeNode>(std::move(sources));
}

}  // namespace fieldpost
