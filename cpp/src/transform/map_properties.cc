#include "transform/map_properties.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"
#include "event/object.h"

namespace fieldpost {
namespace {

struct Change {
  enum class Kind : std::uint8_t { none, set, copy, move };
  Keys target;
  Kind kind = Kind::none;
  Keys source;       // of copy and move
  std::string json;  // of set
  bool to_string = false;
  Digits digits = Digits::of_double;  // of to_string
};

// What a change found in the event before any change was made.
struct Source {
  bool reachable = false;  // the target's parent can hold members
  bool found = false;
  std::string json;
};

bool can_hold_members(Tree& event, const Keys& target) {
  if (target.size() == 1) return true;
  std::string json;
  if (!event.read(Keys(target.begin(), target.end() - 1), json)) return false;
  return json[0] == '{' || json[0] == '[' || json == "null";
}

Source source_of(Tree& event, const Change& change) {
  Source source;
  source.reachable = can_hold_members(event, change.target);
  if (!source.reachable) return source;
  if (change.kind == Change::Kind::set) {
    source.json = change.json;
    source.found = true;
  } else if (change.kind != Change::Kind::none) {
    source.found = event.read(change.source, source.json);
  }
  return source;
}

bool is_index(const std::string& key) {
  return key.find_first_not_of("0123456789") == std::string::npos;
}

// Puts a value where the keys lead; what is on the way and is no object or list becomes one. False
// where null is on the way, or a list would grow too far.
bool put(Tree& event, const Keys& keys, Tree value) {
  Tree* at = &event;
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) {
    Tree* next = at->child(keys[i]);
    if (next != nullptr && next->is_null()) return false;
    if (next == nullptr || !(next->is_object() || next->is_array())) {
      if (!at->set(keys[i], Tree(is_index(keys[i + 1]) ? "[]" : "{}"))) return false;
      next = at->child(keys[i]);
    }
    if (next == nullptr) return true;  // a key that a list cannot have
    at = next;
  }
  return at->set(keys.back(), std::move(value));
}

// Segment's evaluator takes away only what is truthy.
void take_away(Tree& event, const Keys& keys) {
  std::string json;
  if (!event.read(keys, json) || Value(json).falsy()) return;
  Tree* parent = event.descend(Keys(keys.begin(), keys.end() - 1));
  if (parent != nullptr) parent->remove(keys.back());
}

bool put_as_text(Tree& event, const Keys& keys, Digits digits) {
  std::string json;
  std::string text = "undefined";
  if (event.read(keys, json)) {
    const Value value(json);
    if (value.is_string() || json[0] == '{' || json[0] == '[') return true;
    text.clear();
    append_stringified(value, text, digits);
  }
  return put(event, keys, Tree::owning('"' + text + '"'));
}

class MapProperties : public Transform {
 public:
  explicit MapProperties(std::vector<Change> changes) : changes_(std::move(changes)) {}

  std::optional<Ending> apply(Tree& event, std::string_view) const override {
    std::vector<Source> sources;
    sources.reserve(changes_.size());
    for (const Change& change : changes_) sources.push_back(source_of(event, change));
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      if (!sources[i].reachable || change(event, changes_[i], std::move(sources[i]))) continue;
      return Ending{"E246",
                    "map_properties cannot write here: null is on the way, or a list that "
                    "would grow too far",
                    true};
    }
    return std::nullopt;
  }

 private:
  static bool change(Tree& event, const Change& change, Source source) {
    if (source.found && !put(event, change.target, Tree::owning(std::move(source.json)))) {
      return false;
    }
    if (change.kind == Change::Kind::move) take_away(event, change.source);
    return !change.to_string || put_as_text(event, change.target, change.digits);
  }

  std::vector<Change> changes_;
};

// One entry of the map on its way to a Change.
class Entry {
 public:
  Entry(const Json& options, Form form, const std::string& path, Author& author)
      : options_(options), form_(form), path_(path), author_(author) {}

  Change read(const std::string& target) {
    Change change;
    if (target.empty() && form_ == Form::own) {
      author_.mistake("E241", "a path is missing: the event as a whole cannot be replaced", path_);
    }
    change.target = author_.dotted(target, form_, path_);
    if (!options_.is_object()) {
      author_.expected("an object with set, copy or move, or with to_string", options_, path_,
                       "such as {copy: properties.email}");
      return change;
    }
    author_.unknown_keys(options_, {"set", "copy", "move", "to_string"}, "map_properties", path_);
    if (form_ == Form::own) one_of_them();
    change.to_string = flag();
    change.digits = form_ == Form::own ? Digits::own : Digits::of_double;
    if (names_a_source("copy")) {
      from(change, Change::Kind::copy, "copy");
    } else if (names_a_source("move")) {
      from(change, Change::Kind::move, "move");
    } else if (options_.contains("set")) {
      change.kind = Change::Kind::set;
      change.json = options_.at("set").dump();
    }
    return change;
  }

 private:
  void one_of_them() {
    int given = 0;
    for (const char* key : {"set", "copy", "move"}) given += options_.contains(key) ? 1 : 0;
    if (given > 1) {
      author_.mistake("E241", "set, copy and move exclude each other", path_, "keep one of them");
    } else if (given == 0 && !options_.contains("to_string")) {
      author_.mistake("E242", "nothing is asked for: set, copy, move or to_string is missing",
                      path_, "such as {copy: properties.email}");
    }
  }

  bool flag() {
    if (!options_.contains("to_string")) return false;
    const Json& value = options_.at("to_string");
    if (value.is_boolean()) return value.get<bool>();
    if (!(value.is_null() && form_ == Form::segment)) {
      author_.expected("true or false", value, below(path_, "to_string"));
    }
    return false;
  }

  bool names_a_source(const char* key) {
    if (!options_.contains(key)) return false;
    const Json& value = options_.at(key);
    const bool is_absent = value.is_null() || value == "";
    if (form_ == Form::segment && is_absent) return false;
    if (!value.is_string() || is_absent) {
      author_.expected("a path such as properties.email", value, below(path_, key));
    }
    return value.is_string();
  }

  void from(Change& change, Change::Kind kind, const char* key) {
    change.kind = kind;
    change.source = author_.dotted(options_.at(key).get<std::string>(), form_, below(path_, key));
  }

  const Json& options_;
  Form form_;
  const std::string& path_;
  Author& author_;
};

}  // namespace

TransformPtr make_map_properties(const Json& map, Form form, const std::string& path,
                                 Author& author) {
  if (!map.is_object()) {
    author.expected("an object of paths, each with set, copy, move or to_string", map, path,
                    "such as {properties.mail: {move: properties.email}}");
    return nullptr;
  }
  std::vector<std::pair<std::string, Change>> named;
  for (const auto& [target, options] : map.items()) {
    const std::string at = below(path, target);
    named.emplace_back(target, Entry(options, form, at, author).read(target));
  }
  std::stable_sort(named.begin(), named.end(), [](const auto& left, const auto& right) {
    return comes_first(left.first, right.first);
  });
  std::vector<Change> changes;
  for (auto& [target, change] : named) changes.push_back(std::move(change));
  return std::make_unique<MapProperties>(std::move(changes));
}

}  // namespace fieldpost
