// The plain HTTP destination: each record is one request, as its subscription words it.
//
// {"type": "webhook", "destination": id, "on_unconfirmed": "hold" | "resend",
//  "retry_statuses": [408, ...], "idempotency_key_header": false, "allow_http": false,
//  "subscriptions": [{"id", "method", "url", "headers": {name: text}}]}
//
// A record may bring its own url and headers (where a directive makes them); its headers replace
// the static ones of the same name, null takes one away. No HTTP method counts as safe to repeat by
// itself; a call is replay-safe only where it carries an Idempotency-Key and the document says that
// the destination honours it. Immutable; share it between threads.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "fieldpost/protocol.h"

namespace fieldpost {

class Reading;

class Webhook final : public Protocol {
 public:
  explicit Webhook(const Json& document);

  Call encode(const Batch& batch, const Record& record) const override;
  Verdict decode(const Call& call, const Response& response, double now_s) const override;
  Verdict decode_answer(const Call& call, const Response& response, double now_s) const override;

 private:
  struct Subscription {
    std::string method;
    std::string url;  // "" where each record brings its own
    std::vector<Header> headers;
  };

  void read_subscription(const Json& given, Reading& reading);
  bool sends_again(const Call& call) const noexcept { return resend_ || call.replay_safe; }
  Verdict decode_refusal(const Call& call, const Response& response, double now_s) const;

  std::vector<Subscription> subscriptions_;
  std::set<int> retry_statuses_ = {408, 425, 429, 500, 502, 503, 504};
  bool resend_ = false;
  bool honours_key_ = false;
  bool allow_http_ = false;
};

}  // namespace fieldpost
