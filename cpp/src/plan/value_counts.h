// How often a field has which value: the first thousand different ones, others together.
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

  void add(Value::Kind kind, std::string_view text, std::uint64_t count = 1);
  // REQUIRES: what `later` counted came after what this one did.
  void merge(const ValueCounts& later);

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
  std::string key_;
};

}  // namespace fieldpost
