// Documents that authors write. Never used for events: those stay text (see event/walker.h).
#pragma once

#include <nlohmann/json.hpp>

namespace fieldpost {

using Json = nlohmann::ordered_json;

}  // namespace fieldpost
