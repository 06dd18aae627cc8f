// sample_event: lets a share of the events through.
//
// With a path: by the MD5 digest of the JSON text of the value there, so equal values stay
// together. Without one, or where it gives nothing: by the event's identity, so a second run
// decides alike.
#pragma once

#include <string>

#include "transform/author.h"
#include "transform/transform.h"

namespace fieldpost {

// `place` is the transform's place in its list; two samplers of one list draw independently.
// After a mistake the result may be incomplete; do not run it.
TransformPtr make_sample_event(const Json& options, Form form, std::size_t place,
                               const std::string& path, Author& author);

}  // namespace fieldpost
