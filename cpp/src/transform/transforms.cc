#include "transform/transforms.h"

#include <algorithm>
#include <utility>

#include "transform/map_properties.h"
#include "transform/properties.h"
#include "transform/sample_event.h"

namespace fieldpost {
namespace {

class Drop : public Transform {
 public:
  std::optional<Ending> apply(Tree&, std::string_view) const override {
    return Ending{"E244", "a transform drops every event"};
  }
};

// The name of a transform, and under which key Segment's `config` has its options.
struct Known {
  const char* name;
  const char* key;
};

constexpr Known kKnown[] = {
    {"drop", nullptr},         {"drop_properties", "drop"}, {"allow_properties", "allow"},
    {"map_properties", "map"}, {"hash_properties", "hash"}, {"sample_event", "sample"},
};

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const Known& one : kKnown) names.emplace_back(one.name);
  return names;
}

// Reads one list; a transform with a mistake is null.
class Reading {
 public:
  explicit Reading(Author& author) : author_(author) {}

  TransformPtr item(const Json& item, std::size_t place, const std::string& path) {
    place_ = place;
    if (item == "drop") return std::make_unique<Drop>();
    if (item.is_string()) {
      const Known* known = named(item.get<std::string>(), path);
      if (known != nullptr) author_.mistake("E242", lacks(known->name), path);
      return nullptr;
    }
    if (!item.is_object() || item.empty()) {
      author_.expected("a transform", item, path,
                       "such as - drop_properties: {properties: [email]}");
      return nullptr;
    }
    return item.contains("type") ? segment(item, path) : own(item, path);
  }

 private:
  static std::string lacks(const std::string& name) { return name + " lacks its options"; }

  const Known* named(std::string name, const std::string& path) {
    for (const Known& one : kKnown) {
      if (name == one.name) return &one;
    }
    const std::string written = std::exchange(name, "");
    for (const char c : written) name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const std::string near = did_you_mean(name, names());
    std::string hint = "there are";
    for (const std::string& one : names()) hint += (one == "drop" ? " " : ", ") + one;
    if (!near.empty()) hint = "did you mean \"" + near + "\"?";
    author_.mistake("E240", "an unknown transform \"" + written + "\"", path, hint);
    return nullptr;
  }

  TransformPtr own(const Json& item, const std::string& path) {
    TransformPtr made;
    for (const auto& [name, options] : item.items()) {
      const std::string at = below(path, name);
      if (const Known* known = named(name, at)) made = make(*known, options, Form::own, at);
    }
    if (item.size() > 1) {
      author_.mistake("E241", "one transform stands in one entry of the list", path,
                      "write each with a - of its own; they are applied in that order");
    }
    return made;
  }

  TransformPtr segment(const Json& item, const std::string& path) {
    author_.unknown_keys(item, {"type", "config"}, "a transformer of Segment's", path);
    const Json& type = item.at("type");
    if (!type.is_string()) {
      author_.expected("the name of a transform", type, path + ".type");
      return nullptr;
    }
    const Known* known = named(type.get<std::string>(), path + ".type");
    if (known == nullptr) return nullptr;
    const std::string name = known->name;
    if (name == "drop") return std::make_unique<Drop>();
    if (name == "hash_properties") return ignored(path);
    const Json config = item.value("config", Json());
    const std::string at = path + ".config";
    if (!config.is_object()) {
      author_.expected("an object with " + std::string(known->key), config, at);
      return nullptr;
    }
    author_.unknown_keys(config, {"drop", "allow", "map", "hash", "sample"}, "a config", at);
    if (name == "map_properties" && !config.contains("map")) {
      return make(*known, Json::object(), Form::segment, at);
    }
    if (!config.contains(known->key)) {
      author_.mistake("E242", lacks(name), at, std::string(known->key) + " is missing");
      return nullptr;
    }
    return make(*known, config.at(known->key), Form::segment, below(at, known->key));
  }

  TransformPtr ignored(const std::string& path) {
    author_.warn("E249", "Segment's public evaluator leaves the values as they are here", path,
                 "write - hash_properties: {properties: [email]} to hash");
    return make_properties(PropertyChange::hash, Json::object(), Form::segment, path, author_);
  }

  TransformPtr make(const Known& known, const Json& options, Form form, const std::string& at) {
    const std::string name = known.name;
    if (name == "drop_properties") {
      return make_properties(PropertyChange::drop, options, form, at, author_);
    }
    if (name == "allow_properties") {
      return make_properties(PropertyChange::allow, options, form, at, author_);
    }
    if (name == "hash_properties") {
      return make_properties(PropertyChange::hash, options, form, at, author_);
    }
    if (name == "map_properties") return make_map_properties(options, form, at, author_);
    if (name == "sample_event") return make_sample_event(options, form, place_, at, author_);
    if (!options.is_null() && options != true) {
      author_.mistake("E241", "drop has no options", at, "write - drop");
    }
    return std::make_unique<Drop>();
  }

  Author& author_;
  std::size_t place_ = 0;
};

}  // namespace

Transforms::Transforms(const Json& list, const std::string& path) {
  Author author;
  Reading reading(author);
  for (std::size_t i = 0; i < list.size(); ++i) {
    transforms_.push_back(reading.item(list[i], i, path + "[" + std::to_string(i) + "]"));
  }
  if (auto mistakes = author.take_mistakes(); !mistakes.empty()) {
    throw DocumentError(std::move(mistakes));
  }
  warnings_ = author.take_warnings();
}

std::optional<Ending> Transforms::apply(std::string_view event, std::string_view identity,
                                        std::string& out) const {
  out.clear();
  Tree tree(event);
  for (const TransformPtr& transform : transforms_) {
    if (auto ending = transform->apply(tree, identity)) return ending;
  }
  if (tree.is_opened()) tree.write(out);
  return std::nullopt;
}

}  // namespace fieldpost
