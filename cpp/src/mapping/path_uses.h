// The paths that a document reads, each with the place where it is written: for whoever counts what
// events have of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mapping/node.h"

namespace fieldpost {

// How the place takes what the path finds.
enum class Taken : std::uint8_t { as_value, as_text, as_list };

struct PathUse {
  std::string place;  // in the document
  Reach reach;
  std::uint32_t scope = 0;  // one of PathUses::scopes
  Taken taken = Taken::as_value;
};

// The meaning of "$." in a part of a document.
struct UseScope {
  enum class Kind : std::uint8_t { event, items, value };
  Kind kind = Kind::event;
  std::uint32_t parent = 0;          // the scope in which it is found
  Reach list;                        // of items: where the list is
  const Selection* items = nullptr;  // of items that the walk reads
  const Node* computed = nullptr;    // gives the list, or the value, where it is computed
};

struct PathUses {
  std::vector<UseScope> scopes = {UseScope{}};  // the first is the event; parents stand before
  std::vector<PathUse> uses;
};

}  // namespace fieldpost
