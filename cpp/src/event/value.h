// A JSON value as the text it has in a line: a view, never a tree.
//
// The text was validated before (by the walker, or because we wrote it), so nothing here fails.
// Lives as long as the text it looks at. A default Value is `undefined`: no value at all.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "event/path.h"

namespace fieldpost {

class Value {
 public:
  enum class Kind : std::uint8_t { undefined, null, boolean, number, string, array, object };

  Value() = default;
  explicit Value(std::string_view token) : token_(token) {}

  Kind kind() const;
  std::string_view token() const { return token_; }
  bool is_undefined() const { return token_.empty(); }
  bool is_nothing() const { return token_.empty() || token_[0] == 'n'; }  // undefined or null

  // JavaScript's truth: undefined, null, false, 0, NaN and "" are falsy.
  bool falsy() const;

  // A string's text, unescaped. REQUIRES: kind() == string.
  std::string string() const;
  // The text of any value as JavaScript's String() gives it; arrays joined by commas, objects
  // "[object Object]", undefined and null "".
  void append_text(std::string& out) const;

  // One key further; follows the rules of docs/mapping.md (a falsy parent is kept as it is).
  Value step(std::string_view key, std::string& scratch) const;
  Value follow(const Path& path, std::size_t from, std::string& scratch) const;

  void each_element(const std::function<bool(Value)>& visit) const;  // until visit says false

  // Appends the JSON without blanks between tokens.
  void append_json(std::string& out) const;

 private:
  Value member(std::string_view key) const;
  Value element(std::string_view key, std::string& scratch) const;
  Value unit(std::string_view key, std::string& scratch) const;

  std::string_view token_;
};

}  // namespace fieldpost
