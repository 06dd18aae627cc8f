#include "dispatch/targets.h"

#include <algorithm>

namespace fieldpost {

std::string origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::string_view host = url.substr(begin);
  host = host.substr(0, host.find_first_of("/?#\\"));
  if (const std::size_t user = host.rfind('@'); user != std::string_view::npos) {
    host = host.substr(user + 1);
  }
  std::string origin(url.substr(0, begin));
  origin.append(host);
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view usual = origin.starts_with("https") ? ":443" : ":80";
  if (origin.ends_with(usual)) origin.resize(origin.size() - usual.size());
  return origin;
}

Targets::Targets(const BreakerPolicy& policy, const RetryPolicy& retry,
                 const std::vector<std::string>& addresses)
    : policy_(policy), retry_(retry) {
  for (const std::string& url : addresses) of(url);
  if (all_.size() == 1) only_ = last_;
}

Target& Targets::of(const std::string& url) {
  if (last_ && url == last_url_) return *last_;
  std::string origin = origin_of(url);
  auto found = all_.find(origin);
  if (found == all_.end()) {
    Breaker breaker(policy_, retry_.wait_initial_s, retry_.wait_max_s);
    Target target{origin, breaker, {}, {}, {}};
    found = all_.emplace(std::move(origin), std::move(target)).first;
  }
  last_url_ = url;
  last_ = &found->second;
  return *last_;
}

void Targets::hold(std::uint64_t id, Target& target) {
  if (target.held.empty()) holding_.push_back(&target);
  target.held.push_back(id);
}

std::vector<std::uint64_t> Targets::take_held(Target& target, std::size_t count) {
  const auto end =
      target.held.begin() + static_cast<std::ptrdiff_t>(std::min(count, target.held.size()));
  std::vector<std::uint64_t> taken(target.held.begin(), end);
  target.held.erase(target.held.begin(), end);
  if (target.held.empty()) std::erase(holding_, &target);
  return taken;
}

}  // namespace fieldpost
