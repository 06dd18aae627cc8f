// drop_properties, allow_properties, hash_properties: {"a.b": ["key", …]}, "" the event itself.
//
// A list at the path means each of its items. What is there but has no members is left alone.
#pragma once

#include <cstdint>
#include <string>

#include "transform/author.h"
#include "transform/transform.h"

namespace fieldpost {

enum class PropertyChange : std::uint8_t { drop, allow, hash };

// After a mistake the result may be incomplete; do not run it.
TransformPtr make_properties(PropertyChange change, const Json& targets, Form form,
                             const std::string& path, Author& author);

}  // namespace fieldpost
