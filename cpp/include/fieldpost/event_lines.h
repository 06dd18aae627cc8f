// Lines of text as lines of events: a JSON value that is spread over several lines becomes one
// line, in place and byte for byte, so that offsets stay those of the text. So nothing that lies
// within a value is ever taken for an event.
//
// A byte order mark or a record separator (RFC 7464) at the start of a line becomes blanks. A value
// is joined for as long as brackets are open and each line goes on as JSON's grammar wants; a line
// that was merely cut stays a line of its own.
// Single owner; not for two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace fieldpost {

class EventLines {
 public:
  static constexpr std::size_t kMostUndecided = 1024;  // bytes

  // Turns the next bytes and gives how many are decided. The rest, at most kMostUndecided, has to
  // be handed over again in front of what follows it; at the end of the text it stands as it is.
  std::size_t turn(std::span<char> bytes);

  // A value that began on an earlier line still has brackets open; `began`: its offset.
  bool is_open() const noexcept { return joined_ && !open_.empty(); }
  std::uint64_t began() const noexcept { return began_; }

 private:
  std::size_t begin_line(std::span<char> bytes, std::size_t at);
  std::size_t scan(std::span<char> bytes, std::size_t at);
  bool is_plain(std::span<const char> line, char next) const;
  bool may_go_on() const;
  bool goes_on(char next) const;
  void end_line();
  void take(char byte);

  std::string open_;  // the brackets that are open
  char first_ = 0;    // of the line, or of the lines joined, what is not blank
  char last_ = 0;
  bool scans_ = false;  // within a line that is looked at byte by byte
  bool joined_ = false;
  bool in_text_ = false;
  bool escaped_ = false;
  std::uint64_t offset_ = 0;  // of what is handed over next
  std::uint64_t began_ = 0;
};

}  // namespace fieldpost
