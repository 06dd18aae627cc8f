#include "plan/value_counts.h"

#include <algorithm>
#include <tuple>

namespace fieldpost {

namespace {

void set_key(std::string& key, Value::Kind kind, std::string_view text) {
  key.assign(1, static_cast<char>(kind));
  key += text;
}

}  // namespace

void ValueCounts::ask(Value::Kind kind, std::string_view text) {
  set_key(key_, kind, text);
  if (counts_.emplace(key_, 0).second) ++asked_;
}

std::uint64_t ValueCounts::count(Value::Kind kind, std::string_view text) const {
  std::string key;
  set_key(key, kind, text);
  const auto known = counts_.find(key);
  return known == counts_.end() ? 0 : known->second;
}

void ValueCounts::add(Value::Kind kind, std::string_view text, std::uint64_t count) {
  set_key(key_, kind, text);
  const auto known = counts_.find(std::string_view(key_));
  if (known != counts_.end()) {
    known->second += count;
  } else if (text.size() <= kLongest && counts_.size() < kMost + asked_) {
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
    if (count == 0) continue;
    rows.push_back({static_cast<Value::Kind>(key[0]), key.substr(1), count});
  }
  std::sort(rows.begin(), rows.end(), [](const Row& one, const Row& other) {
    return std::tie(other.count, one.kind, one.text) < std::tie(one.count, other.kind, other.text);
  });
  return rows;
}

}  // namespace fieldpost
