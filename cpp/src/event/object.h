// Objects as JavaScript sees them: one member for each key, in JavaScript's order.
//
// Keys that are canonical array indexes ("0", "17", below 2^32-1) come first, ascending; the others
// follow in the order in which they first came. Of equal keys the last value counts.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "event/value.h"

namespace fieldpost {

bool is_index_key(std::string_view key);

// Whether `left` comes before `right` for what they are, not for when they came: for a stable sort.
bool comes_first(std::string_view left, std::string_view right);

struct Member {
  std::string key;  // unescaped
  Value value;
};

// The members of an object in that order. What they hold lives as long as the object's text.
std::vector<Member> members_of(Value object);

// An object under construction.
class ObjectText {
 public:
  // `json` may be "u": undefined, which hides an earlier value and disappears in the end.
  void put(std::string_view key, std::string_view json);
  void write(std::string& out) const;  // undefined members as `u`

 private:
  std::vector<std::pair<std::string, std::string>> members_;
  std::unordered_map<std::string, std::size_t> places_;
};

// What JSON.stringify writes: keys in order and once, numbers as doubles, its own escapes. With
// Digits::own a number that is no double keeps its digits.
void append_stringified(Value value, std::string& out, Digits digits = Digits::of_double);

}  // namespace fieldpost
