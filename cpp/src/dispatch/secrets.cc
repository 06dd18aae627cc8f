#include "dispatch/secrets.h"

#include <algorithm>
#include <utility>

namespace fieldpost {

namespace {

constexpr std::size_t kKept = 4;
constexpr std::size_t kShortest = 4;  // a shorter one hides nothing and would eat words

void take_out(const std::string& secret, std::string& text) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), "***");
    at += 3;
  }
}

// How much of the text's end is the beginning of the secret: texts are cut where they get too long.
std::size_t begun(const std::string& secret, const std::string& text) {
  for (std::size_t size = std::min(secret.size() - 1, text.size()); size >= kShortest; --size) {
    if (text.compare(text.size() - size, size, secret, 0, size) == 0) return size;
  }
  return 0;
}

}  // namespace

void Secrets::add(const std::string& header) {
  const std::string token = header.substr(header.find(' ') + 1);  // no blank: npos + 1 is 0
  if (token.size() < kShortest) return;
  tokens_.push_back(token);
  if (tokens_.size() > kKept) tokens_.erase(tokens_.begin());
}

void Secrets::keep(std::string text) {
  if (text.size() >= kShortest) kept_.push_back(std::move(text));
}

std::string Secrets::hide(std::string text) const {
  for (const auto* list : {&kept_, &tokens_}) {
    for (const std::string& token : *list) take_out(token, text);
  }
  std::size_t longest = 0;
  for (const auto* list : {&kept_, &tokens_}) {
    for (const std::string& token : *list) longest = std::max(longest, begun(token, text));
  }
  if (longest > 0) text.replace(text.size() - longest, longest, "***");
  return text;
}

}  // namespace fieldpost
