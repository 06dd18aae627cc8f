#include "mapping/compiler.h"

#include <utility>
#include <vector>

#include "base/text.h"
#include "mapping/directives.h"
#include "mapping/shape.h"
#include "mapping/text_quirks.h"

namespace fieldpost {
namespace {

constexpr int kDeepest = 256;
constexpr int kLevelsOfJson = 4;  // that one level of a mapping may take
constexpr const char* kRootDirective = "__segment_internal_directive";

bool is_directive_key(std::string_view key) {
  return key.starts_with('@') && !key.starts_with("@@");
}

// No key but those of directives (and _metadata).
bool holds_only_directives(const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (key != "_metadata" && !is_directive_key(key)) return false;
  }
  return true;
}

// The key of the output that a key of the document stands for.
std::string output_key(const std::string& key) {
  return key.starts_with("@@") ? key.substr(1) : key;
}

std::string json_of(const Json& scalar) {
  if (!scalar.is_string()) return scalar.dump();
  std::string json;
  append_json_string(scalar.get_ref<const std::string&>(), json);
  return json;
}

// Whether a document is nested so deeply that no mapping of 256 levels can be written like that,
// and that a copy of it might not fit on the stack. Uses none itself.
bool is_bottomless(const Json& document) {
  std::vector<std::pair<const Json*, int>> open{{&document, 1}};
  while (!open.empty()) {
    const auto [value, level] = open.back();
    open.pop_back();
    if (!value->is_structured()) continue;
    if (level > kLevelsOfJson * kDeepest) return true;
    for (const Json& below : *value) open.emplace_back(&below, level + 1);
  }
  return false;
}

// Arrays and texts become objects with their indexes as keys, anything else becomes {}.
Json spread(const Json& document) {
  Json object = Json::object();
  if (document.is_array()) {
    for (std::size_t i = 0; i < document.size(); ++i) object[std::to_string(i)] = document[i];
  } else if (document.is_string()) {
    const std::u16string units = to_utf16(document.get<std::string>());
    for (std::size_t i = 0; i < units.size(); ++i) {
      object[std::to_string(i)] = to_utf8(units.substr(i, 1));
    }
  }
  return object;
}

}  // namespace

bool has_directive_key(const Json& expression) {
  if (!expression.is_object()) return false;
  for (const auto& [key, value] : expression.items()) {
    if (is_directive_key(key)) return true;
  }
  return false;
}

std::string member_path(const std::string& path, std::string_view key) {
  const bool is_plain = !key.empty() && key.find_first_of(".[]\"' ") == std::string_view::npos;
  if (is_plain) return std::string(path).append(".").append(key);
  std::string quoted;
  append_json_string(key, quoted);
  return path + "[" + quoted + "]";
}

std::string type_name(const Json& value) {
  if (value.is_number()) return "number";
  return value.type_name();
}

bool is_truthy_literal(const Json& value) {
  if (value.is_null()) return false;
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number()) return value.get<double>() != 0;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return true;
}

void Compiler::mistake(std::string code, std::string message, const std::string& path,
                       std::string hint) {
  mistakes_.push_back({std::move(code), std::move(message), path, std::move(hint), 0, 0});
}

void Compiler::warn(std::string code, std::string message, const std::string& path,
                    std::string hint) {
  warnings_.push_back({std::move(code), std::move(message), path, std::move(hint), 0, 0});
}

NodePtr Compiler::compile(const Json& expression, const std::string& path) {
  if (depth_ >= kDeepest || (depth_ == 0 && is_bottomless(expression))) {
    mistake("E206", "nested deeper than 256 levels", path);
    return nullptr;
  }
  ++depth_;
  NodePtr node;
  if (has_directive_key(expression) && (looks_closely_ || holds_only_directives(expression))) {
    node = directive(expression, path);
  } else if (expression.is_object()) {
    node = object(expression, path);
  } else if (expression.is_array()) {
    node = list(expression, path);
  } else {
    if (expression.is_string() && !texts_are_meant_) {
      warn_of_text(*this, expression.get_ref<const std::string&>(), path);
    }
    node = constant(json_of(expression));
  }
  --depth_;
  return node;
}

NodePtr Compiler::compile_loosely(const Json& expression, const std::string& path) {
  const bool closely =
      std::exchange(looks_closely_, looks_closely_ && has_directive_key(expression));
  NodePtr node = compile(expression, path);
  looks_closely_ = closely;
  return node;
}

NodePtr Compiler::compile_meant(const Json& expression, const std::string& path) {
  const bool meant = std::exchange(texts_are_meant_, true);
  NodePtr node = compile_loosely(expression, path);
  texts_are_meant_ = meant;
  return node;
}

NodePtr Compiler::compile_whole(const Json& document, const std::string& path) {
  if (is_bottomless(document)) return compile(document, path);  // which says so
  const bool closely = std::exchange(looks_closely_, true);
  NodePtr node;
  if (!document.is_object()) {
    warn("E221",
         "a whole mapping that is no object: Segment spreads texts and lists over keys \"0\", "
         "\"1\", … and makes {} of anything else",
         path, "write an object");
    node = compile(spread(document), path);
  } else if (document.contains(kRootDirective)) {
    node = root_directive(document, path);
  } else {
    node = compile(document, path);
  }
  looks_closely_ = closely;
  return node;
}

// {"__segment_internal_directive": {"@x": {…}}, …the rest}: the rest is the "mapping" of @x.
NodePtr Compiler::root_directive(const Json& document, const std::string& path) {
  const std::string at = path + "." + kRootDirective;
  Json directive = document.at(kRootDirective);
  if (!directive.is_object() || directive.size() != 1) {
    mistake("E203", "the root directive must be an object with one directive", at);
    return nullptr;
  }
  Json& argument = directive.begin().value();
  if (!argument.is_object()) {
    mistake("E203",
            "the argument of the root directive must be an object, got " + type_name(argument), at);
    return nullptr;
  }
  Json rest = document;
  rest.erase(kRootDirective);
  argument["mapping"] = std::move(rest);
  return compile(directive, path);
}

NodePtr Compiler::compile_with(Selection* selection, UseScope scope, const Json& expression,
                               const std::string& path) {
  scope.parent = scope_;
  uses_.scopes.push_back(std::move(scope));
  Selection* outside = std::exchange(selection_, selection);
  const std::uint32_t parent =
      std::exchange(scope_, static_cast<std::uint32_t>(uses_.scopes.size() - 1));
  NodePtr node = compile(expression, path);
  selection_ = outside;
  scope_ = parent;
  return node;
}

NodePtr Compiler::compile_key(const Json& expression, const std::string& path) {
  const Use outside = std::exchange(use_, use_ == Use::body ? Use::key : use_);
  NodePtr node = compile(expression, path);
  use_ = outside;
  return node;
}

NodePtr Compiler::compile_for_item(const Json& expression, const std::string& path,
                                   std::uint32_t slot) {
  Selection& items = selection_->items(slot);
  const Reach list = {selection_->path(slot), slot};
  return compile_with(&items, {UseScope::Kind::items, 0, list, &items, nullptr}, expression, path);
}

NodePtr Compiler::compile_for_value(const Json& expression, const std::string& path,
                                    const Node* computed) {
  return compile_with(nullptr, {UseScope::Kind::value, 0, {}, nullptr, computed}, expression, path);
}

NodePtr Compiler::compile_for_value_item(const Json& expression, const std::string& path,
                                         const Node* computed) {
  return compile_with(nullptr, {UseScope::Kind::items, 0, {}, nullptr, computed}, expression, path);
}

// An event is never nested so deeply that more keys would find anything.
Path Compiler::within_reach(Path path) {
  constexpr std::size_t kMostKeys = 1024;
  if (path.size() > kMostKeys) {
    mistake("E203", "a path of more than 1024 keys", place_);
    path.resize(kMostKeys);
  }
  return path;
}

Reach Compiler::reach(Path path, Taken taken) {
  path = within_reach(std::move(path));
  const std::uint32_t slot = selection_ != nullptr ? selection_->slot(path) : 0;
  Reach reach = {std::move(path), slot};
  note(reach, scope_, taken);
  return reach;
}

Reach Compiler::event_reach(Path path) {
  path = within_reach(std::move(path));
  const std::uint32_t slot = event_.slot(path);
  Reach reach = {std::move(path), slot};
  note(reach, 0, Taken::as_value);
  return reach;
}

// The whole of an event or an item is always there. A directive may ask twice for the same.
void Compiler::note(const Reach& reach, std::uint32_t scope, Taken taken) {
  if (reach.path.empty()) return;
  std::vector<PathUse>& uses = uses_.uses;
  const bool is_known = !uses.empty() && uses.back().place == place_ &&
                        uses.back().scope == scope && uses.back().reach.path == reach.path;
  if (is_known) {
    uses.back().taken = taken;
  } else {
    uses.push_back({place_, reach, scope, taken});
  }
}

NodePtr Compiler::directive(const Json& object, const std::string& path) {
  std::string name;
  for (const auto& [key, value] : object.items()) {
    if (key == "_metadata") continue;
    if (is_directive_key(key) && name.empty()) {
      name = key;
      continue;
    }
    if (!looks_closely_) {
      warn("E222", "of several directives only the first, \"" + name + "\", runs", path,
           "leave \"" + key + "\" out");
      continue;
    }
    mistake("E202", "a directive stands alone, but \"" + key + "\" is beside it", path,
            "move \"" + key + "\" out; a body key that begins with @ is written @@");
    return nullptr;
  }
  const DirectiveRow* row = find_directive(name);
  if (row == nullptr) {
    const std::string near = did_you_mean(name, directive_names());
    mistake("E201", "unknown directive \"" + name + "\"", path,
            near.empty() ? "write \"@" + name +
                               "\" for a key of the body; docs/mapping.md lists the directives"
                         : "did you mean \"" + near + "\"?");
    return nullptr;
  }
  const std::string outside = std::exchange(place_, path + "." + name);
  const bool url_template = use_ == Use::address && name == "@template";
  CompileDirective* compile = url_template ? &compile_url_template : row->compile;
  NodePtr node = compile(*this, object.at(name), path + "." + name);
  place_ = outside;
  return node;
}

NodePtr Compiler::object(const Json& object, const std::string& path) {
  auto node = std::make_unique<ObjectNode>();
  for (const auto& [key, value] : object.items()) {
    if (is_directive_key(key)) {
      warn("E223",
           "\"" + key +
               "\" stands beside other keys in a list or a literal, so it is copied "
               "and does not run",
           path, "write \"@" + key + "\" for a key of the body");
    }
    const bool meant = std::exchange(texts_are_meant_, texts_are_meant_ || is_directive_key(key));
    node->add(output_key(key), compile(value, member_path(path, key)));
    texts_are_meant_ = meant;
  }
  node->finish();
  return node;
}

NodePtr Compiler::list(const Json& array, const std::string& path) {
  const bool closely = std::exchange(looks_closely_, false);
  auto node = std::make_unique<ListNode>();
  for (std::size_t i = 0; i < array.size(); ++i) {
    node->add(compile(array[i], path + "[" + std::to_string(i) + "]"));
  }
  looks_closely_ = closely;
  return node;
}

}  // namespace fieldpost
