// Puts many small parts at the end of a string, without asking the string for each.
//
// While a writer lives the string has room behind its text; the writer's end cuts it off.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fieldpost {

class Writer {
 public:
  // Parts up to this size are copied as a whole: cheaper than to count. Parts that are put often
  // come with so many readable bytes.
  static constexpr std::size_t kWide = 32;

  explicit Writer(std::string& out) : out_(out), at_(out.size()) { make_room(0); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { out_.resize(at_); }

  std::size_t size() const { return at_; }
  void cut(std::size_t size) { at_ = size; }  // REQUIRES: not more than size()
  char back() const { return out_[at_ - 1]; }

  void put(char c) {
    if (at_ == out_.size()) make_room(1);
    out_[at_++] = c;
  }
  void put(std::string_view part) {
    if (out_.size() - at_ < part.size()) make_room(part.size());
    std::memcpy(out_.data() + at_, part.data(), part.size());
    at_ += part.size();
  }
  // The same where the bytes up to `readable` may be looked at.
  void put(std::string_view part, const char* readable) {
    const auto ahead = static_cast<std::size_t>(readable - part.data());
    if (part.size() > kWide || ahead < kWide || out_.size() - at_ < kWide) [[unlikely]] {
      return put(part);
    }
    std::memcpy(out_.data() + at_, part.data(), kWide);
    at_ += part.size();
  }

  // The same, to be changed: until the next part.
  std::span<char> put_copy(std::string_view part) {
    put(part);
    return {out_.data() + at_ - part.size(), part.size()};
  }

  // Lets `append` work on the string itself.
  template <typename Append>
  bool in_string(Append append) {
    out_.resize(at_);
    const bool result = append(out_);
    at_ = out_.size();
    return result;
  }

 private:
  void make_room(std::size_t size) { out_.resize(at_ + size + kRoom); }

  static constexpr std::size_t kRoom = 1024;

  std::string& out_;
  std::size_t at_;
};

// A text with readable bytes behind it.
class WideText {
 public:
  explicit WideText(std::string text = "") : text_(std::move(text)), size_(text_.size()) {
    text_.append(Writer::kWide, '\0');
  }
  void put(Writer& writer, std::size_t from = 0) const {
    writer.put(std::string_view(text_.data() + from, size_ - from), text_.data() + text_.size());
  }

 private:
  std::string text_;
  std::size_t size_;
};

}  // namespace fieldpost
