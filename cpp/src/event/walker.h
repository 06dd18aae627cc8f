// Lines of events, validated as JSON, with the tokens that a selection asks for in slots.
//
// Token places are found for many lines at a time; then each line is walked once. A line that is
// not one JSON object is told, wherever its fault is, and never half read; its neighbours are as if
// it were not there. Keeps its memory. One thread at a time.
#pragma once

#include <memory>
#include <string_view>

#include "event/selection.h"
#include "fieldpost/position.h"

namespace fieldpost {

struct LineFault {
  const char* code = nullptr;  // null: the line is an event
  const char* message = nullptr;
  std::size_t offset = 0;  // bytes into the line
  explicit operator bool() const { return code != nullptr; }
};

struct Line {
  std::string_view text;  // without its line break
  Position position;
  LineFault fault;
};

class Walker {
 public:
  Walker();
  ~Walker();

  // One event, which may be spread over several lines.
  LineFault walk(std::string_view event, const Selection& selection, Slots& slots);

  // The lines of `text`, which has to stay until the last one. `start` is where the first stands.
  void open(std::string_view text, Position start);
  // The next line that is not blank, its slots filled unless it is at fault; false after the last.
  bool next(const Selection& selection, Slots& slots, Line& line);
  // Where the line after the last one given would stand; behind the last, one past them all.
  Position position() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
