// An event's own `integrations` object: which destinations it wants to go to.
//
// {"All": false} excludes every destination that is not named; {"Name": false} excludes that one;
// a name with true or an object is included whatever "All" says. Names are compared exactly.
#pragma once

#include <cstdint>
#include <string>

#include "event/selection.h"

namespace fieldpost {

class Integrations {
 public:
  // Adds the path it reads to `selection`, which must outlive it.
  Integrations(std::string name, Selection& selection);

  bool excludes(const Slots& slots) const;

 private:
  std::string name_;
  std::uint32_t slot_;
};

}  // namespace fieldpost
