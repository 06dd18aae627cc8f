#include "fieldpost/record.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include "base/text.h"

namespace fieldpost {
namespace {

void append_words(std::string_view bytes, std::vector<std::uint64_t>& words) {
  const std::size_t before = words.size();
  const std::size_t count = bytes.size() / sizeof(std::uint64_t);
  words.resize(before + count);
  if (count > 0) std::memcpy(words.data() + before, bytes.data(), count * sizeof(std::uint64_t));
}

}  // namespace

std::string Batch::bodies(std::optional<std::uint32_t> subscription) const {
  const auto chosen = [&](const Record& record) {
    return record.body.size > 0 && (!subscription || record.subscription == *subscription);
  };
  std::size_t size = 0;
  for (const Record& record : records) size += chosen(record) ? record.body.size + 1 : 0;
  std::string lines;
  lines.reserve(size);
  for (const Record& record : records) {
    if (chosen(record)) lines.append(text(record.body)).push_back('\n');
  }
  return lines;
}

std::vector<Tally> Batch::tallies() const {
  std::vector<Tally> tallies(filtered.size());
  for (std::size_t i = 0; i < filtered.size(); ++i) tallies[i].filtered = filtered[i].hashes.size();
  for (const Record& record : records) ++tallies[record.subscription].records;
  for (const Ended& one : ended) {
    ++(one.invalid ? tallies[one.subscription].invalid : tallies[one.subscription].dropped);
  }
  return tallies;
}

void Batch::go_by_former(std::uint32_t subscription, const std::vector<std::string>& event_ids) {
  const std::unordered_set<std::string_view> wanted(event_ids.begin(), event_ids.end());
  std::unordered_map<std::string_view, Span> spans;
  for (const FormerId& one : former) {
    if (wanted.contains(text(one.event_id))) spans.emplace(text(one.event_id), one.former);
  }
  const auto rename = [&](auto& one) {
    if (one.subscription != subscription) return;
    const auto known = spans.find(text(one.event_id));
    if (known == spans.end()) return;
    one.event_id = known->second;
    one.hash = hash64(text(one.event_id));
  };
  for (Record& record : records) rename(record);
  for (Ended& one : ended) rename(one);
}

void Batch::explain(const std::vector<Note>& notes) {
  for (const Note& note : notes) {
    for (Ended& one : ended) {
      if (!one.invalid || one.position.line != note.line) continue;
      one.code = "E409";
      one.message = note.why;
    }
  }
}

std::size_t distinct_hashes(const std::vector<std::string_view>& arrays, std::string_view without) {
  std::vector<std::uint64_t> words;
  std::vector<std::uint64_t> excluded;
  for (const std::string_view array : arrays) append_words(array, words);
  append_words(without, excluded);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::sort(excluded.begin(), excluded.end());
  return static_cast<std::size_t>(std::count_if(words.begin(), words.end(), [&](std::uint64_t w) {
    return !std::binary_search(excluded.begin(), excluded.end(), w);
  }));
}

}  // namespace fieldpost
