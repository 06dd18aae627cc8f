// Transport over libcurl's multi interface.
//
// One connection pool, kept alive between requests; easy handles are used again. libcurl by itself
// repeats a request whose kept-alive connection died without an answer; here it may not: the second
// start of a transfer is refused and told as `lost`. No redirects, no cookies, no other schemes
// than http and https. One thread at a time; owns every handle; in a forked child it only forgets.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "fieldpost/transport.h"

namespace fieldpost {

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(TransportOptions options);
  ~CurlTransport() override;

  void start(std::uint64_t id, const Request& request) override;
  std::vector<Completion> wait(double timeout_s) override;
  void hang_up() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
