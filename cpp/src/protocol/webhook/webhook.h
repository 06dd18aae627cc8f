// The plain HTTP destination: each record is one request, as its subscription words it.
//
// {"type": "webhook", "destination": id, "on_unconfirmed": "hold" | "resend",
//  "retry_statuses": [408, ...], "idempotency_key": "" | header name, "allow_http": false,
//  "hosts": [those that events may choose; absent: any],
//  "subscriptions": [{"id", "method", "url", "headers": {name: text}, "batch": {batching.h},
//    "success", "message": see answer.h}]}
//
// Without `success` any 2xx is one, but a 207 that tells of a failure is none.
//
// A record may bring its own url and headers (where a directive makes them); its headers replace
// the static ones of the same name, null takes one away. No HTTP method counts as safe to repeat by
// itself; a call is replay-safe only where the document names a header for idempotency keys, which
// the destination then honours. Immutable; share it between threads.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/webhook/address.h"
#include "protocol/webhook/answer.h"
#include "protocol/webhook/batching.h"

namespace fieldpost {

class Reading;

class Webhook final : public Protocol {
 public:
  explicit Webhook(const Json& document, const CompileRule& compile = {});

  std::vector<std::string> addresses() const override;
  Call encode(const Batch& batch, const Record& record) const override;
  std::vector<Header> signatures(const Call& call, const SigningKeys& keys,
                                 std::int64_t unix_s) const override;
  Verdict decode(const Call& call, const Response& response, double now_s) const override;
  std::optional<Together> together(const Call& call) const override;
  std::size_t most_together() const override { return most_together_; }
  Call combine(const std::vector<const Call*>& calls) const override;
  std::vector<Verdict> decode_each(const Call& combined, const std::vector<const Call*>& calls,
                                   const Response& response, double now_s) const override;
  Verdict decode_answer(const Call& call, const Response& response, double now_s) const override;

 private:
  struct Subscription {
    std::string id;
    std::string method;
    std::string url;  // "" where each record brings its own
    std::vector<Header> headers;
    Batching batching;
    AnswerRules answers;
    bool batches = false;
  };

  void put_body(std::string_view json, Call& call) const;
  std::string message_id(const Call& call) const;
  std::string message_id(std::string_view subscription, std::string_view event_id) const;
  void read_subscription(const Json& given, const CompileRule& compile, Reading& reading);
  bool sends_again(const Call& call) const noexcept { return resend_ || call.replay_safe; }
  Verdict decode_whole(const Call& call, const Response& response, double now_s) const;
  Verdict decode_success(const AnswerRules& rules, const Response& response) const;
  Verdict decode_refusal(const Call& call, const Response& response, double now_s) const;
  Verdict verdict_of(const RecordAnswer& answer) const;
  const AnswerRules& rules_of(const Call& call) const;

  std::vector<Subscription> subscriptions_;
  std::size_t most_together_ = 1;
  std::set<int> retry_statuses_ = {408, 425, 429, 500, 502, 503, 504};
  bool resend_ = false;
  std::string destination_;
  std::string key_header_;  // "" where the destination honours none
  AddressRules address_;
};

}  // namespace fieldpost
