// map_properties: {"a.b": {set: value} or {copy: "path"} or {move: "path"}, perhaps to_string:
// true}.
//
// All sources are read before anything is changed. Where the parent of a path is no object or list,
// nothing is done there.
#pragma once

#include <string>

#include "transform/author.h"
#include "transform/transform.h"

namespace fieldpost {

// After a mistake the result may be incomplete; do not run it.
TransformPtr make_map_properties(const Json& map, Form form, const std::string& path,
                                 Author& author);

}  // namespace fieldpost
