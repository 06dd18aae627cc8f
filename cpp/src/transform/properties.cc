#include "transform/properties.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "event/object.h"

namespace fieldpost {
namespace {

struct Target {
  bool whole;  // the event itself
  Keys parent;
  std::vector<std::string> keys;
};

// A text's own characters, of anything else its JSON text; null stays.
void hash_member(Tree& object, const std::string& key) {
  Tree* member = object.child(key);
  if (member == nullptr || member->is_null()) return;
  std::string json;
  member->write(json);
  const Value value(json);
  std::string hashed;
  if (value.is_string()) {
    hashed = value.string();
  } else {
    append_stringified(value, hashed, Digits::own);
  }
  *member = Tree::owning('"' + sha256_hex(hashed) + '"');
}

class Properties : public Transform {
 public:
  Properties(PropertyChange change, std::vector<Target> targets)
      : change_(change), targets_(std::move(targets)) {}

  std::optional<Ending> apply(Tree& event, std::string_view) const override {
    for (const Target& target : targets_) {
      Tree* parent = target.whole ? &event : event.descend(target.parent);
      if (parent == nullptr) continue;
      if (!parent->is_array()) {
        change(*parent, target.keys);
        continue;
      }
      for (Tree& element : parent->elements()) change(element, target.keys);
    }
    return std::nullopt;
  }

 private:
  void change(Tree& parent, const std::vector<std::string>& keys) const {
    if (!parent.is_object() && !parent.is_array()) return;
    if (change_ == PropertyChange::allow) {
      for (const std::string& name : parent.names()) {
        if (std::find(keys.begin(), keys.end(), name) == keys.end()) parent.remove(name);
      }
      return;
    }
    for (const std::string& key : keys) {
      if (change_ == PropertyChange::drop) {
        parent.remove(key);
      } else {
        hash_member(parent, key);
      }
    }
  }

  PropertyChange change_;
  std::vector<Target> targets_;
};

std::vector<std::string> keys_listed(const Json& listed, const std::string& path, Author& author) {
  std::vector<std::string> keys;
  if (!listed.is_array()) {
    const std::string hint = listed.is_string() ? "write [" + listed.dump() + "]" : "";
    author.expected("a list of keys", listed, path, hint);
    return keys;
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (listed[i].is_string()) {
      keys.push_back(listed[i].get<std::string>());
    } else {
      author.expected("a key", listed[i], path + "[" + std::to_string(i) + "]");
    }
  }
  return keys;
}

}  // namespace

TransformPtr make_properties(PropertyChange change, const Json& targets, Form form,
                             const std::string& path, Author& author) {
  std::vector<Target> found;
  if (!targets.is_object()) {
    author.expected("an object of paths, each with a list of keys", targets, path,
                    "such as {properties: [email]}, with \"\" for the event itself");
    return nullptr;
  }
  for (const auto& [parent, keys] : targets.items()) {
    const std::string at = below(path, parent);
    found.push_back(
        {parent.empty(), author.dotted(parent, form, at), keys_listed(keys, at, author)});
  }
  return std::make_unique<Properties>(change, std::move(found));
}

}  // namespace fieldpost
