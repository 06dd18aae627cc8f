#include "protocol/webhook/address.h"

#include <algorithm>

#include "base/loopback.h"
#include "base/text.h"
#include "fieldpost/protocol.h"

namespace fieldpost {

namespace {

constexpr const char* kMapping = "mapping: correct the url of this subscription";
constexpr const char* kHosts = "operator: name the host in allow_hosts if events may choose it";

constexpr std::size_t kLongest = 1'000'000;  // bytes; libcurl takes a few more

[[noreturn]] void refuse(const char* what) { throw CallFault{"E511", what, kMapping}; }

// Host and port, lower case; "" where there is more or less than that.
std::string authority_of(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  std::string authority = ascii_lower(rest.substr(0, rest.find_first_of("/?#")));
  const bool plain = std::all_of(authority.begin(), authority.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_' ||
           c == ':' || c == '[' || c == ']';
  });
  return plain && !authority.starts_with(':') ? authority : "";
}

std::string without_usual_port(std::string authority, bool http) {
  const std::string_view port = http ? ":80" : ":443";
  if (authority.ends_with(port)) authority.resize(authority.size() - port.size());
  return authority;
}

std::string_view host_of(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

// A segment of "." or ".." would leave the place that the author wrote.
void check_segments(std::string_view url) {
  const std::size_t authority = url.find("://") + 3;
  const std::size_t begin = url.find('/', authority);
  const std::size_t end = std::min(url.find_first_of("?#"), url.size());
  if (begin >= end) return;
  std::string path = ascii_lower(url.substr(begin, end - begin));
  for (std::size_t at = path.find("%2e"); at != std::string::npos; at = path.find("%2e", at)) {
    path.replace(at, 3, ".");
  }
  std::replace(path.begin(), path.end(), '\\', '/');
  path.push_back('/');
  if (path.find("/./") != std::string::npos || path.find("/../") != std::string::npos) {
    refuse("the url's path holds . or ..");
  }
}

bool is_allowed(std::string_view authority, const AddressRules& rules) {
  return rules.any_host ||
         std::any_of(rules.hosts.begin(), rules.hosts.end(), [&](std::string_view host) {
           if (host == "*") return true;
           return host.starts_with("*.") ? authority.ends_with(host.substr(1)) : authority == host;
         });
}

}  // namespace

void check_address(std::string_view url, const AddressRules& rules) {
  const bool http = url.starts_with("http://");
  const bool printable =
      std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
  const std::string authority =
      http || url.starts_with("https://") ? without_usual_port(authority_of(url), http) : "";
  if (url.size() > kLongest) refuse("the url is longer than 1 MB");
  if (!printable || host_of(authority).empty()) {
    refuse("the url is not an absolute http or https address");
  }
  if (http && !rules.allow_http && !is_loopback(host_of(authority))) refuse("the url is not https");
  check_segments(url);
  if (!is_allowed(authority, rules)) {
    throw CallFault{"E641", "the url's host is none that the destination file names", kHosts};
  }
}

}  // namespace fieldpost
