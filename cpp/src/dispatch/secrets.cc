#include "dispatch/secrets.h"

namespace fieldpost {

namespace {

constexpr std::size_t kKept = 4;
constexpr std::size_t kShortest = 4;  // a shorter one hides nothing and would eat words

}  // namespace

void Secrets::add(const std::string& header) {
  const std::string token = header.substr(header.find(' ') + 1);  // no blank: npos + 1 is 0
  if (token.size() < kShortest) return;
  tokens_.push_back(token);
  if (tokens_.size() > kKept) tokens_.erase(tokens_.begin());
}

std::string Secrets::hide(std::string text) const {
  for (const std::string& token : tokens_) {
    for (std::size_t at = text.find(token); at != std::string::npos; at = text.find(token, at)) {
      text.replace(at, token.size(), "***");
      at += 3;
    }
  }
  return text;
}

}  // namespace fieldpost
