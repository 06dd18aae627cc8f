// Whether an address that an event gave, wholly or in part, may be sent to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fieldpost {

struct AddressRules {
  bool allow_http = false;         // plain http also to other machines
  bool any_host = true;            // else `hosts` are those that events may choose
  std::vector<std::string> hosts;  // "host", "host:8443", "*.example.com"; lower case
};

// Throws CallFault: E511 for what is no address or leads elsewhere by its path, E641 for a host
// that is not allowed.
void check_address(std::string_view url, const AddressRules& rules);

}  // namespace fieldpost
