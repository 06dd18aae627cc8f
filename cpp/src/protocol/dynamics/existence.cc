#include "protocol/dynamics/existence.h"

#include <simdjson.h>

#include "base/text.h"
#include "base/uuid.h"

namespace fieldpost {

std::string_view id_asked(std::string_view url) {
  const std::size_t open = url.rfind('(');
  const std::size_t close = url.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  const std::string_view id = url.substr(open + 1, close - open - 1);
  const std::string_view rest = url.substr(close + 1);
  const bool only_key = rest.starts_with("?$select=") && rest.find_first_of("&,") == rest.npos;
  return is_uuid(id) && only_key ? id : std::string_view();
}

std::string existence_url(std::string_view api, const BulkTable& table,
                          const std::vector<std::string_view>& ids) {
  std::string url(api);
  url.append(table.set).append("?$select=").append(table.key);
  url.append("&$filter=Microsoft.Dynamics.CRM.In(PropertyName='").append(table.key);
  url.append("',PropertyValues=[");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    url.append(i > 0 ? ",'" : "'").append(ids[i]).append("'");
  }
  return url.append("])");
}

std::optional<std::set<std::string>> ids_found(const BulkTable& table, const Response& response) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  simdjson::dom::array rows;
  if (parser.parse(simdjson::padded_string(response.body)).get(root) != simdjson::SUCCESS ||
      root["value"].get(rows) != simdjson::SUCCESS ||
      root["@odata.nextLink"].error() == simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::set<std::string> found;
  for (const simdjson::dom::element row : rows) {
    std::string_view id;
    if (row[table.key].get(id) != simdjson::SUCCESS) return std::nullopt;
    found.insert(ascii_lower(id));
  }
  return found;
}

}  // namespace fieldpost
