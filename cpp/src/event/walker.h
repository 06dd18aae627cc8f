// One line, one pass: validates it as JSON and puts the tokens a selection asks for into slots.
//
// A line that is not one JSON object is told, wherever its fault is, and never half read. Keeps its
// memory from line to line. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "event/selection.h"

namespace fieldpost {

struct LineFault {
  const char* code = nullptr;  // null: the line is an event
  const char* message = nullptr;
  std::size_t offset = 0;  // bytes into the line
  explicit operator bool() const { return code != nullptr; }
};

class Walker {
 public:
  Walker();
  ~Walker();

  LineFault walk(std::string_view line, const Selection& selection, Slots& slots);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
