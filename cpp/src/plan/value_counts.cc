#include "plan/value_counts.h"

#include <algorithm>
#include <tuple>

namespace fieldpost {

void ValueCounts::add(Value::Kind kind, std::string_view text, std::uint64_t count) {
  if (text.size() > kLongest) {
    others_ += count;
    return;
  }
  key_.assign(1, static_cast<char>(kind));
  key_ += text;
  const auto known = counts_.find(std::string_view(key_));
  if (known != counts_.end()) {
    known->second += count;
  } else if (counts_.size() < kMost) {
    counts_.emplace(key_, count);
  } else {
    others_ += count;
  }
}

void ValueCounts::merge(const ValueCounts& later) {
  for (const Row& row : later.rows()) add(row.kind, row.text, row.count);
  others_ += later.others_;
}

std::vector<ValueCounts::Row> ValueCounts::rows() const {
  std::vector<Row> rows;
  rows.reserve(counts_.size());
  for (const auto& [key, count] : counts_) {
    rows.push_back({static_cast<Value::Kind>(key[0]), key.substr(1), count});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& one, const Row& other) {
    return std::tie(other.count, one.kind, one.text) < std::tie(one.count, other.kind, other.text);
  });
  return rows;
}

}  // namespace fieldpost
