// Where calls go, by scheme, host and port: each target with its breaker, the failure it showed
// last, and the deliveries that wait for it alone. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fieldpost/policy.h"
#include "http/breaker.h"

namespace fieldpost {

struct Target {
  std::string origin;
  Breaker breaker;
  std::string code, message;       // of its last failure or doubt
  std::deque<std::uint64_t> held;  // while another target goes on; filled by Targets::hold
};

class Targets {
 public:
  // `addresses`: that all calls go to; none where records choose.
  Targets(const BreakerPolicy& policy, const RetryPolicy& retry,
          const std::vector<std::string>& addresses);
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;

  Target& of(const std::string& url);
  // The only target there is; null where there are several, or may be.
  Target* only() noexcept { return only_; }
  const Target* only() const noexcept { return only_; }
  // By origin; targets keep their addresses.
  std::unordered_map<std::string, Target>& all() noexcept { return all_; }
  const std::unordered_map<std::string, Target>& all() const noexcept { return all_; }

  void hold(std::uint64_t id, Target& target);
  // The first so many that a target holds, in their order.
  std::vector<std::uint64_t> take_held(Target& target, std::size_t count);
  // Targets that hold something: few, however many there are.
  const std::vector<Target*>& holding() const noexcept { return holding_; }

 private:
  BreakerPolicy policy_;
  RetryPolicy retry_;
  std::unordered_map<std::string, Target> all_;
  std::string last_url_;  // most records go where the one before went
  std::vector<Target*> holding_;
  Target* last_ = nullptr;
  Target* only_ = nullptr;
};

// "https://host:8443" of an address, in one spelling; without user, path and the usual port.
std::string origin_of(std::string_view url);

}  // namespace fieldpost
