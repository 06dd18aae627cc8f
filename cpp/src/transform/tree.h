// An event under change: JSON text until somebody looks inside a part, then its members.
//
// What nobody looks into stays the text it was. Views into that text must outlive the tree. Members
// stand as JavaScript has them: one for each key, keys that are array indexes first.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/value.h"

namespace fieldpost {

// Keys split at dots and nowhere else, as Segment's transformers do: "a..b" has an empty key.
using Keys = std::vector<std::string>;
Keys keys_of(std::string_view dotted);

class Tree {
 public:
  explicit Tree(std::string_view json) : text_(json) {}
  static Tree owning(std::string json);
  Tree(Tree&&) = default;
  Tree& operator=(Tree&&) = default;

  bool is_object() const { return Value(text_).kind() == Value::Kind::object; }
  bool is_array() const { return Value(text_).kind() == Value::Kind::array; }
  bool is_null() const { return Value(text_).kind() == Value::Kind::null; }

  // The member of that key, or the element of that index; null where there is none.
  Tree* child(std::string_view key);
  // Where the keys lead, null where they lead nowhere.
  Tree* descend(const Keys& keys);
  // The same to read only: appends the JSON, a text's units and lengths included. False (and
  // nothing appended) where there is no value.
  bool read(const Keys& keys, std::string& json);

  // REQUIRES: is_object() or is_array(). A list grows by nulls; a key that is no index of a list
  // changes nothing. False where the list would grow too far.
  bool set(std::string_view key, Tree value);
  // A list keeps its length: null takes the place.
  void remove(std::string_view key);
  std::vector<std::string> names();
  std::vector<Tree>& elements();  // REQUIRES: is_array()

  // Whether anybody looked inside so that something may be changed.
  bool is_opened() const { return opened_; }
  void write(std::string& out) const;

 private:
  void open();
  void open_object();
  void take_members();
  Tree* element(std::string_view key);

  std::unique_ptr<std::string> own_;  // what text_ looks at, where it is ours
  std::string_view text_;             // once opened, only its first character still counts
  bool opened_ = false;
  std::vector<std::string> keys_;  // of an object, beside children_
  std::vector<Tree> children_;
};

}  // namespace fieldpost
