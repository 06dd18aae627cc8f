#include "event/json_text.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

constexpr std::size_t kDeepest = 1024;

// Reads one token after the other. The nesting is a list of closing brackets, not a recursion.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  JsonText read() { return read_first() && at_ == text_.size() ? JsonText::valid : verdict(); }

  // One value and the blanks behind it, whatever follows.
  bool read_first() {
    if (!value()) return false;
    while (!open_.empty()) {
      if (!next_part()) return false;
    }
    skip_blanks();
    return true;
  }

  std::size_t at() const { return at_; }

 private:
  JsonText verdict() const { return too_deep_ ? JsonText::too_deep : JsonText::invalid; }

  void skip_blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
      ++at_;
    }
  }
  bool take(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A scalar, an empty container, or the way to the first scalar inside a container.
  bool value() {
    for (;;) {
      skip_blanks();
      if (at_ == text_.size()) return false;
      const char c = text_[at_];
      if (c == '"') return string();
      if (c != '{' && c != '[') return word();
      ++at_;
      const char close = c == '{' ? '}' : ']';
      if (take(close)) return true;
      open_.push_back(close);
      too_deep_ = open_.size() > kDeepest;
      if (too_deep_ || (c == '{' && !key())) return false;
    }
  }

  // After a value inside a container.
  bool next_part() {
    if (take(open_.back())) {
      open_.pop_back();
      return true;
    }
    return take(',') && (open_.back() == ']' || key()) && value();
  }

  bool key() {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == '"' && string() && take(':');
  }

  bool string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) return false;
    ++at_;
    return escapes_are_valid(text_.substr(begin, at_ - begin));
  }

  bool word() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    const std::string_view token = text_.substr(begin, at_ - begin);
    return token == "true" || token == "false" || token == "null" || is_json_number(token);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<char> open_;
  bool too_deep_ = false;
};

}  // namespace

JsonText check_json(std::string_view text, std::size_t* stopped) {
  Reader reader(text);
  const JsonText verdict = reader.read();
  if (stopped != nullptr) *stopped = reader.at();
  return verdict;
}

std::size_t first_json(std::string_view text) {
  Reader reader(text);
  return reader.read_first() ? reader.at() : 0;
}

}  // namespace fieldpost
