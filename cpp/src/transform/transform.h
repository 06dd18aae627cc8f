// One change to an event before it is mapped. Immutable; share it between threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "transform/tree.h"

namespace fieldpost {

// Why an event ends here. `message` never holds a value of the event.
struct Ending {
  std::string code;
  std::string message;
  bool invalid = false;  // else dropped
};

class Transform {
 public:
  virtual ~Transform() = default;
  // `identity` is what tells this event from others, over runs.
  virtual std::optional<Ending> apply(Tree& event, std::string_view identity) const = 0;
};

using TransformPtr = std::unique_ptr<const Transform>;

}  // namespace fieldpost
