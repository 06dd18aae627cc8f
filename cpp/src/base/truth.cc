#include "base/truth.h"

#include <algorithm>
#include <array>

#include "base/letter_case.h"
#include "base/text.h"

namespace fieldpost {
namespace {

constexpr std::array<std::string_view, 3> kTrue = {"true", "yes", "1"};
constexpr std::array<std::string_view, 3> kFalse = {"false", "no", "0"};

}  // namespace

std::optional<bool> truth_of(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), word) != kFalse.end()) return false;
  return std::nullopt;
}

}  // namespace fieldpost
