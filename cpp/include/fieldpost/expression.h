// One mapping on its own, perhaps behind one filter: events in, bodies out, nothing delivered.
//
// Immutable; share it between threads. What a call needs to work with is kept for the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"
#include "fieldpost/position.h"

namespace fieldpost {

struct FilterText {
  std::string text;
  std::string dialect;  // "" is fieldpost's own
};

// A line that is no event, or one that the mapping cannot handle.
struct InvalidLine {
  Position position;
  std::string code;
  std::string message;
};

// What a text of lines became.
struct Lines {
  std::uint64_t received = 0;               // lines that are not blank
  std::string text;                         // the bodies, each ended by a newline
  std::vector<std::uint64_t> line_numbers;  // of the lines that gave them, counted from 1
  std::vector<InvalidLine> invalid;
};

class Expression {
 public:
  // Throws DocumentError with every mistake.
  Expression(const Json& mapping, const std::optional<FilterText>& filter);
  ~Expression();

  // The body of one event, "" where it is undefined (or not let through). Throws EventFault.
  std::string apply(std::string_view event) const;
  // The same, "" too where the text is no event or none that can be mapped.
  std::string apply_if_fit(std::string_view event) const;
  Lines apply_lines(std::string_view text) const;

  // The paths that are read, as text, sorted: "$.properties.products[].sku".
  std::vector<std::string> paths() const;
  const std::vector<Mistake>& warnings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
