#include "http/options.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/transport.h"

namespace fieldpost {

namespace {

// Reads one object of options key by key and collects what is wrong with it.
class Options {
 public:
  Options(const Json& document, std::string path) : document_(document), path_(std::move(path)) {
    if (!document_.is_object() && !document_.is_null()) mistake("", "must be an object");
  }

  void number(const char* key, double least, double& value) {
    const Json* found = take(key);
    if (!found) return;
    if (!found->is_number() || found->get<double>() < least) {
      mistake(key, "must be a number of at least " + Json(least).dump());
    } else {
      value = found->get<double>();
    }
  }

  template <typename Integer>
  void integer(const char* key, Integer least, Integer& value) {
    const Json* found = take(key);
    if (!found) return;
    constexpr double kMost = std::numeric_limits<int>::max();
    const double given = found->is_number_integer() ? found->get<double>() : -1;
    if (given < static_cast<double>(least) || given > kMost) {
      mistake(key, "must be a whole number of at least " + std::to_string(least));
    } else {
      value = found->get<Integer>();
    }
  }

  void boolean(const char* key, bool& value) {
    const Json* found = take(key);
    if (!found) return;
    if (found->is_boolean()) {
      value = found->get<bool>();
    } else {
      mistake(key, "must be true or false");
    }
  }

  void text(const char* key, std::string& value) {
    const Json* found = take(key);
    if (!found) return;
    if (found->is_string()) {
      value = found->get<std::string>();
    } else {
      mistake(key, "must be a text");
    }
  }

  void statuses(const char* key, std::set<int>& value) {
    const Json* found = take(key);
    if (!found) return;
    std::set<int> read;
    for (const Json& status : found->is_array() ? *found : Json::array({Json()})) {
      const int given = status.is_number_integer() ? status.get<int>() : 0;
      if (given < 300 || given > 599) {
        mistake(key, "must be a list of HTTP statuses from 300 to 599");
        return;
      }
      read.insert(given);
    }
    value = std::move(read);
  }

  // Throws what was found.
  void finish() {
    for (const auto& [key, value] : document_.items()) {
      if (!document_.is_object() || known(key)) continue;
      const std::string near = did_you_mean(key, known_);
      mistakes_.push_back({"E610", "unknown option \"" + key + "\"", path_ + "." + key,
                           near.empty() ? "" : "did you mean \"" + near + "\"?"});
    }
    if (!mistakes_.empty()) throw DocumentError(std::move(mistakes_));
  }

 private:
  const Json* take(const char* key) {
    known_.emplace_back(key);
    if (!document_.is_object()) return nullptr;
    const auto found = document_.find(key);
    return found == document_.end() || found->is_null() ? nullptr : &*found;
  }

  bool known(const std::string& key) const {
    return std::find(known_.begin(), known_.end(), key) != known_.end();
  }

  void mistake(const std::string& key, const std::string& what) {
    mistakes_.push_back({"E611", (key.empty() ? "this" : key) + " " + what,
                         path_ + (key.empty() ? "" : "." + key), ""});
  }

  const Json& document_;
  std::string path_;
  std::vector<std::string> known_;
  std::vector<Mistake> mistakes_;
};

}  // namespace

RetryPolicy make_retry_policy(const Json& document) {
  RetryPolicy policy;
  Options options(document, "$.retry");
  options.number("max_elapsed_s", 0, policy.max_elapsed_s);
  options.integer("max_attempts", 0, policy.max_attempts);
  options.number("wait_initial_s", 0, policy.wait_initial_s);
  options.number("wait_max_s", 0, policy.wait_max_s);
  options.statuses("statuses", policy.statuses);
  options.finish();
  return policy;
}

Limits make_limits(const Json& document) {
  Limits limits;
  Options options(document, "$.limits");
  options.integer("max_in_flight", 1, limits.max_in_flight);
  options.integer("start_in_flight", 0, limits.start_in_flight);
  options.boolean("adaptive", limits.adaptive);
  options.integer("requests_per_window", 0, limits.requests_per_window);
  options.number("window_s", 0.001, limits.window_s);
  options.number("execution_s", 0, limits.execution_s);
  options.number("execution_window_s", 0.001, limits.execution_window_s);
  options.finish();
  return limits;
}

BreakerPolicy make_breaker_policy(const Json& document) {
  BreakerPolicy policy;
  Options options(document, "$.breaker");
  options.integer("failures", 0, policy.failures);
  options.number("share", 0, policy.share);
  options.integer("doubts", 0, policy.doubts);
  options.integer("refusals", 0, policy.refusals);
  options.integer("untrusted", 0, policy.untrusted);
  options.finish();
  return policy;
}

TransportOptions make_transport_options(const Json& document) {
  TransportOptions read;
  Options options(document, "$.transport");
  options.text("ca_file", read.ca_file);
  options.text("client_cert", read.client_cert);
  options.text("client_key", read.client_key);
  options.text("client_key_password", read.client_key_password);
  options.text("proxy", read.proxy);
  options.text("proxy_username", read.proxy_username);
  options.text("proxy_password", read.proxy_password);
  options.number("connect_timeout_s", 0.001, read.connect_timeout_s);
  options.number("read_timeout_s", 0, read.read_timeout_s);
  options.number("timeout_s", 0.001, read.timeout_s);
  options.integer("max_connections", 1, read.max_connections);
  options.integer("max_response_bytes", std::size_t{1}, read.max_response_bytes);
  options.finish();
  return read;
}

}  // namespace fieldpost
