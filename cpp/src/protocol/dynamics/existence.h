// "Do these rows exist?" asked once for many of one table.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/message.h"
#include "protocol/dynamics/bulk.h"

namespace fieldpost {

// The id that a question asks for: <api>accounts({id})?$select=accountid. "" where it asks for
// more.
std::string_view id_asked(std::string_view url);

std::string existence_url(std::string_view api, const BulkTable& table,
                          const std::vector<std::string_view>& ids);

// The ids in the answer, in lower case; nothing where it is not the whole answer.
std::optional<std::set<std::string>> ids_found(const BulkTable& table, const Response& response);

}  // namespace fieldpost
