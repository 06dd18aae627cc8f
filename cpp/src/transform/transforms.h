// The transforms of a subscription, compiled: what becomes of an event before it is mapped.
//
// Meaning: Segment's destination-filter transformers (docs/transforms.md), in the order of the
// list. Immutable; share it between threads. An event costs its text once more and the parts that a
// transform looks into.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"
#include "transform/transform.h"

namespace fieldpost {

class Transforms {
 public:
  // `path` is where the list stands in a larger document. Throws DocumentError with every mistake.
  Transforms(const Json& list, const std::string& path);

  // Puts the changed event into `out` ("" where nothing was to change), or tells why it ends here.
  // REQUIRES: `event` is one valid JSON object.
  std::optional<Ending> apply(std::string_view event, std::string_view identity,
                              std::string& out) const;

  // What works as in Segment's evaluator but surprises, each with the clean way to write it.
  const std::vector<Mistake>& warnings() const { return warnings_; }

 private:
  std::vector<TransformPtr> transforms_;
  std::vector<Mistake> warnings_;
};

}  // namespace fieldpost
