// Writes primary keys into the body of a deep insert, and changes nothing else: what the body
// already has is copied byte by byte.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace fieldpost {

struct Table {
  std::string set;                                // "accounts"
  std::string key;                                // "accountid"
  std::map<std::string, std::string> navigation;  // property -> logical name of the table behind it
};

using Tables = std::map<std::string, Table>;

struct KeyedBody {
  std::string text;
  std::string root_key;
};

// `key_of` gives the key of the node at a path ("$", "$.primarycontactid", "$.tasks[0]"). A node
// that has its key keeps it; what hangs on a property not in `navigation` is left alone. Throws
// CallFault where the body is not a JSON object or a key it brings is not a UUID.
KeyedBody write_row_keys(std::string_view body, const Tables& tables, const Table& root,
                         const std::function<std::string(std::string_view path)>& key_of);

}  // namespace fieldpost
