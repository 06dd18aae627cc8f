#include "fieldpost/record.h"

#include <algorithm>
#include <cstring>
#include <iterator>

namespace fieldpost {
namespace {

void append_words(std::string_view bytes, std::vector<std::uint64_t>& words) {
  const std::size_t before = words.size();
  const std::size_t count = bytes.size() / sizeof(std::uint64_t);
  words.resize(before + count);
  if (count > 0) std::memcpy(words.data() + before, bytes.data(), count * sizeof(std::uint64_t));
}

}  // namespace

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
