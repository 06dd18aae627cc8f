// Whether a row is closed as a message wanted it: asked after an answer that was lost or that
// refuses, before anything is sent again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "fieldpost/protocol.h"

namespace fieldpost::dynamics {

// What a closing message leaves behind. `status`: nothing where any reason of the state will do.
struct Closing {
  std::string path;   // "opportunities(…)"
  std::string table;  // "opportunity"
  std::int64_t state = 0;
  std::optional<std::int64_t> status;

  std::string question() const { return path + "?$select=statecode,statuscode"; }
};

enum class Closed : std::uint8_t { open, so, otherwise };

// Nothing where the answer does not tell.
std::optional<Closed> closed(const Closing& closing, const Response& response);

// Another state stands in the way, or another reason.
Verdict closed_otherwise(const Closing& closing);

}  // namespace fieldpost::dynamics
