// Moves requests. The seam to the network: curl_transport.cc is one implementation, the scripted
// transport of the tests another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fieldpost/json.h"
#include "fieldpost/message.h"

namespace fieldpost {

struct TransportOptions {
  std::string ca_file;      // PEM; empty: the system's store
  std::string client_cert;  // PEM, the text itself, its chain behind it; empty: none
  std::string client_key;   // PEM, the text itself
  std::string client_key_password;
  std::string proxy;  // scheme://host:port; "none"; empty: the environment's
  std::string proxy_username;
  std::string proxy_password;
  double connect_timeout_s = 10;
  double read_timeout_s = 0;  // without a byte of the exchange; 0: as long as timeout_s
  double timeout_s = 120;     // whole exchange; with a shorter one the service may act unheard
  int max_connections = 64;
  std::size_t max_response_bytes = std::size_t{16} << 20;
};

struct Completion {
  std::uint64_t id = 0;
  Response response;
};

// One thread at a time. Each started request completes exactly once, unless the transport is
// destroyed before. A request is sent at most once for each start, whatever happens to the
// connection. Redirects are answers, not instructions.
class Transport {
 public:
  virtual ~Transport() = default;
  // The request stays where and as it is until it completes.
  virtual void start(std::uint64_t id, const Request& request) = 0;
  // Waits until something completes or the time is over (0: only looks).
  virtual std::vector<Completion> wait(double timeout_s) = 0;
  // Gives up each request under way, as if its time were over, and closes connections; wait()
  // tells of them.
  virtual void hang_up() = 0;
};

// {"ca_file", "client_cert", "client_key", "client_key_password", "proxy", "proxy_username",
// "proxy_password", "connect_timeout_s", "read_timeout_s", "timeout_s", "max_connections",
// "max_response_bytes"}, each optional. Throws DocumentError.
TransportOptions make_transport_options(const Json& document);

// Over libcurl. Opens nothing before the first start, and closes nothing in a forked child.
std::unique_ptr<Transport> make_curl_transport(TransportOptions options);

// One request over a transport of its own; blocks until the answer or the fault is there.
Response exchange(const Request& request, const TransportOptions& options);

}  // namespace fieldpost
