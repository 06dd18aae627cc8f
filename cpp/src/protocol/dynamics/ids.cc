#include "protocol/dynamics/ids.h"

#include <initializer_list>

#include "base/letter_case.h"
#include "base/text.h"
#include "base/uuid.h"

namespace fieldpost {

namespace {

std::string id_of(std::initializer_list<std::string_view> parts) {
  std::string name;
  for (const std::string_view part : parts) {
    name.append(std::to_string(part.size())).append(":").append(part);
  }
  return uuid5(kFieldpostNamespace, name);
}

}  // namespace

std::string row_id(std::string_view destination, std::string_view subscription,
                   std::string_view event_id, std::string_view path) {
  return id_of({destination, subscription, event_id, path});
}

std::string key_id(std::string_view environment, std::string_view table, std::string_view key) {
  while (environment.ends_with('/')) environment.remove_suffix(1);
  return id_of({"key", to_lower(environment), table, caseless(trim(key))});
}

std::string request_id(std::string_view root_id) { return uuid5(root_id, "request"); }

}  // namespace fieldpost
