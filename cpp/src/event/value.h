// A JSON value as the text it has in a line: a view, never a tree.
//
// The text was validated before (by the walker, or because we wrote it), so nothing here fails.
// Lives as long as the text it looks at. A default Value is `undefined`: no value at all. Inside a
// text that directives compute with, undefined is written `u`: {"a":u}, [1,u].
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/path.h"

namespace fieldpost {

// How a number becomes a text: as the double that Segment's engine makes of it, or with every digit
// where that double is another number.
enum class Digits : std::uint8_t { of_double, own };

// What becomes of an element that is undefined.
enum class Gaps : std::uint8_t { to_null, kept };

class Value {
 public:
  enum class Kind : std::uint8_t { undefined, null, boolean, number, string, array, object };

  Value() = default;
  explicit Value(std::string_view token) : token_(token) {}

  Kind kind() const {
    if (token_.empty()) return Kind::undefined;
    switch (token_[0]) {
      case 'u':
        return Kind::undefined;
      case 'n':
        return Kind::null;
      case 't':
      case 'f':
        return Kind::boolean;
      case '"':
        return Kind::string;
      case '[':
        return Kind::array;
      case '{':
        return Kind::object;
      default:
        return Kind::number;
    }
  }
  std::string_view token() const { return token_; }
  bool is_undefined() const { return token_.empty() || token_[0] == 'u'; }
  bool is_nothing() const { return is_undefined() || token_[0] == 'n'; }  // undefined or null
  bool is_string() const { return !token_.empty() && token_[0] == '"'; }

  // JavaScript's truth: undefined, null, false, 0, NaN and "" are falsy.
  bool falsy() const;

  // What stands between a string's quotes, escapes and all. REQUIRES: is_string().
  std::string_view inside() const { return token_.substr(1, token_.size() - 2); }
  // A string's text, unescaped. REQUIRES: is_string().
  std::string string() const;
  // The text of any value as JavaScript's String() gives it; arrays joined by commas, objects
  // "[object Object]", undefined and null "".
  void append_text(std::string& out, Digits digits = Digits::of_double) const;
  // The same to stand between the quotes of a JSON string: a string's own escapes are kept.
  void append_text_escaped(std::string& out, Digits digits = Digits::of_double) const;

  // One key further; follows the rules of docs/mapping.md (a falsy parent is kept as it is).
  Value step(std::string_view key, std::string& scratch) const;
  Value follow(const Path& path, std::size_t from, std::string& scratch) const;

  // Appends the JSON without blanks between tokens; members that are undefined are left out.
  void append_json(std::string& out, Gaps gaps = Gaps::to_null) const {
    if (is_undefined()) return;
    if (token_[0] == '{' || token_[0] == '[') {
      append_container(out, gaps);
    } else {
      out += token_;
    }
  }

 private:
  void append_container(std::string& out, Gaps gaps) const;
  Value member(std::string_view key) const;
  Value element(std::string_view key, std::string& scratch) const;
  Value unit(std::string_view key, std::string& scratch) const;

  std::string_view token_;
};

// The elements of an array, one after the other.
class Elements {
 public:
  explicit Elements(Value array);  // REQUIRES: kind() == array
  bool next(Value& element);

 private:
  std::string_view text_;
  std::size_t at_;
};

// The members of an object as they stand, one after the other; `key` is what its quotes enclose.
class Members {
 public:
  explicit Members(Value object);  // REQUIRES: kind() == object
  bool next(std::string_view& key, Value& value);

 private:
  std::string_view text_;
  std::size_t at_;
};

// True where both are the same JSON, however blanks, escapes and numbers are written.
bool same_json(Value left, Value right);

// The word for a kind that messages use: "string", "undefined", …
const char* kind_name(Value::Kind kind);

}  // namespace fieldpost
