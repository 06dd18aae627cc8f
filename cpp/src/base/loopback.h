// Which hosts can only be this very machine: the name localhost, and addresses of loopback.
#pragma once

#include <string_view>

namespace fieldpost {

// `host`: a name or an address, also in brackets. A name that only looks like an address of
// loopback, as 127.example.com does, may lead anywhere.
bool is_loopback(std::string_view host);

}  // namespace fieldpost
