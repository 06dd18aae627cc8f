// How often a field has which value: those that were asked for, the first thousand different
// others, and what is left together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "event/value.h"

namespace fieldpost {

class ValueCounts {
 public:
  static constexpr std::size_t kMost = 1000;    // different values
  static constexpr std::size_t kLongest = 200;  // bytes of one

  struct Row {
    Value::Kind kind;
    std::string text;  // a string without escapes, another scalar as it stands, else ""
    std::uint64_t count;
  };

  // This one is counted however many there are, and however long it is.
  void ask(Value::Kind kind, std::string_view text);
  void add(Value::Kind kind, std::string_view text, std::uint64_t count = 1);
  // REQUIRES: what `later` counted came after what this one did.
  void merge(const ValueCounts& later);

  std::uint64_t count(Value::Kind kind, std::string_view text) const;
  std::vector<Row> rows() const;  // the most frequent first, equal ones by their text
  std::uint64_t others() const { return others_; }  // values that no row counts

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  // By the kind as one character, and the text.
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> counts_;
  std::uint64_t others_ = 0;
  std::size_t asked_ = 0;
  std::string key_;
};

}  // namespace fieldpost
