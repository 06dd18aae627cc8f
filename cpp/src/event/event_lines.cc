#include "fieldpost/event_lines.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace fieldpost {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr char kRecordSeparator = '\x1e';
constexpr std::string_view kBlank = " \t\r";
constexpr std::string_view kBegins = "{[\"]},";  // a line of JSON, or of a part of it
constexpr std::size_t kDeepest = 1024;           // an event may be nested

bool is_one_of(char byte, std::string_view some) { return some.find(byte) != some.npos; }

// How many bytes at the start of a line are marks, all of which become blanks. undecided: the text
// ends within what may be one more.
std::size_t blank_marks(std::span<char> line, bool& undecided) {
  std::size_t at = 0;
  for (;;) {
    const std::string_view rest(line.data() + at, line.size() - at);
    const std::string_view mark = rest.substr(0, kByteOrderMark.size());
    if (!rest.empty() && rest[0] == kRecordSeparator) {
      line[at++] = ' ';
    } else if (mark == kByteOrderMark) {
      std::fill_n(line.data() + at, mark.size(), ' ');
      at += mark.size();
    } else {
      undecided =
          !mark.empty() && mark.size() < kByteOrderMark.size() && kByteOrderMark.starts_with(mark);
      return at;
    }
  }
}

std::size_t after_blanks(std::span<const char> bytes, std::size_t at) {
  while (at < bytes.size() && is_one_of(bytes[at], " \t\r\n")) ++at;
  return at;
}

}  // namespace

std::size_t EventLines::turn(std::span<char> bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t before = at;
    at = scans_ ? scan(bytes, at) : begin_line(bytes, at);
    if (at == before) break;  // undecided
  }
  offset_ += at;
  return at;
}

// Passes a line that opens nothing, or its marks; else looks at it byte by byte.
std::size_t EventLines::begin_line(std::span<char> bytes, std::size_t at) {
  bool undecided = false;
  at += blank_marks(bytes.subspan(at), undecided);
  if (undecided || at == bytes.size()) return at;
  const void* end = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
  if (end != nullptr) {
    const auto size = static_cast<std::size_t>(static_cast<const char*>(end) - &bytes[at]);
    const std::size_t next = after_blanks(bytes, at + size);
    if (next < bytes.size() && is_plain(bytes.subspan(at, size), bytes[next])) return at + size + 1;
  }
  scans_ = true;
  began_ = offset_ + at;
  return scan(bytes, at);
}

// On to where the line ends, or to where what follows has to be known.
std::size_t EventLines::scan(std::span<char> bytes, std::size_t at) {
  for (; at < bytes.size(); ++at) {
    if (bytes[at] != '\n') {
      take(bytes[at]);
      continue;
    }
    if (may_go_on()) {
      const std::size_t next = after_blanks(bytes, at);
      if (next == bytes.size() && next - at < kMostUndecided) return at;
      joined_ = next == bytes.size() || goes_on(bytes[next]);
      if (joined_) {
        std::fill(&bytes[at], bytes.data() + next, ' ');
        at = next - 1;
        continue;
      }
    }
    end_line();
    return at + 1;
  }
  return at;
}

// True for a line that opens nothing: it ends as an event does and the next one is no part of it,
// or it is no JSON from its first byte.
bool EventLines::is_plain(std::span<const char> line, char next) const {
  const std::string_view text(line.data(), line.size());
  const std::size_t last = text.find_last_not_of(kBlank);
  if (last == text.npos || (text[last] == '}' && !is_one_of(next, ",}]"))) return true;
  return !is_one_of(text[text.find_first_not_of(kBlank)], kBegins);
}

// Of a line that was looked at byte by byte: the same, and that it left a bracket open.
bool EventLines::may_go_on() const {
  if (in_text_ || open_.empty() || open_.size() > kDeepest || last_ == ':') return false;
  return joined_ || is_one_of(first_, kBegins);
}

bool EventLines::goes_on(char next) const {
  const bool in_object = open_.back() == '{';
  const bool closes = next == (in_object ? '}' : ']');
  if (last_ == '{') return next == '"' || closes;
  if (last_ == '[') return closes || !is_one_of(next, "}],:");
  if (last_ == ',') return in_object ? next == '"' : !is_one_of(next, "}],:");
  return next == ',' || next == ':' || closes;
}

void EventLines::take(char byte) {
  if (in_text_) {
    if (escaped_) {
      escaped_ = false;
    } else if (byte == '\\') {
      escaped_ = true;
    } else if (byte == '"') {
      in_text_ = false;
    }
    return;
  }
  if (is_one_of(byte, kBlank)) return;
  last_ = byte;
  if (first_ == 0) first_ = byte;
  if (byte == '"') {
    in_text_ = true;
  } else if ((byte == '{' || byte == '[') && open_.size() <= kDeepest) {
    open_.push_back(byte);
  } else if ((byte == '}' || byte == ']') && !open_.empty()) {
    open_.pop_back();
  }
}

void EventLines::end_line() {
  open_.clear();
  first_ = last_ = 0;
  scans_ = joined_ = in_text_ = escaped_ = false;
}

}  // namespace fieldpost
