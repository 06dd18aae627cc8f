#include "protocol/dynamics/ids.h"

#include "base/uuid.h"

namespace fieldpost {

std::string row_id(std::string_view destination, std::string_view subscription,
                   std::string_view event_id, std::string_view path) {
  std::string name;
  for (const std::string_view part : {destination, subscription, event_id, path}) {
    name.append(std::to_string(part.size())).append(":").append(part);
  }
  return uuid5(kFieldpostNamespace, name);
}

std::string request_id(std::string_view root_id) { return uuid5(root_id, "request"); }

}  // namespace fieldpost
