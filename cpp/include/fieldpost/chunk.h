// Bytes of one source: whole lines, and perhaps the beginning of one more.
//
// A reader asks for spare(), writes into it and says filled(n). When full() or at the end of the
// source it hands the chunk on and continues with rest(), which begins with the partial tail.
// Single owner; not for two threads at once.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fieldpost/position.h"

namespace fieldpost {

class Chunk {
 public:
  static constexpr std::size_t kDefaultCapacity = std::size_t{4} << 20;

  // `has_place` tells whether a line of this source can be found again by name and number
  // (a file); rows, dicts and standard input have no such place.
  Chunk(std::string source, bool has_place, std::size_t capacity = kDefaultCapacity);

  std::span<char> spare();         // room to write into; never empty (a long line makes it grow)
  void filled(std::size_t bytes);  // REQUIRES: bytes <= spare().size()
  void finish() noexcept { finished_ = true; }  // no more bytes: an unended last line counts

  bool ready() const noexcept;     // holds at least one whole line and half its capacity
  std::string_view lines() const;  // the whole lines; after finish() everything
  std::size_t size() const noexcept { return size_; }  // bytes held
  Chunk rest() const;              // a new chunk: the partial tail, and where it stands

  // Why a line of this chunk is no event, where the source knows it better than its text tells.
  void note(std::uint64_t line, std::string why) { notes_.push_back({line, std::move(why)}); }
  const std::vector<Note>& notes() const noexcept { return notes_; }

  const std::string& source() const noexcept { return source_; }
  bool has_place() const noexcept { return has_place_; }
  Position start() const noexcept { return start_; }  // of the first line held

 private:
  std::size_t whole() const;  // bytes up to and including the last line end
  void grow(std::size_t room);

  std::string source_;
  bool has_place_;
  std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;  // not cleared: only what is read takes memory
  std::size_t room_ = 0;
  std::size_t size_ = 0;
  std::size_t searched_ = 0;  // no line end lies beyond whole_ within this
  std::size_t whole_ = 0;
  bool finished_ = false;
  Position start_{1, 0};
  std::vector<Note> notes_;
};

}  // namespace fieldpost
