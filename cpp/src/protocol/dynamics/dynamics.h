// Microsoft Dynamics 365: records become OData requests to Dataverse's Web API 9.2.
//
// {"type": "dynamics365", "destination": id, "url": "https://org...", "client_id": shown in hints,
//  "subscriptions": [{"id", "action": "create", "table": "account"}],
//  "tables": {"account": {"set": "accounts", "key": "accountid",
//                         "navigation": {"primarycontactid": "contact"}}},
//  "batching": "off" (as without it), "batch", "bulk" or "auto"}, see packing.h
//
// create: one POST, deep insert included. Every node of the body whose table is known gets a
// primary key that depends on the event alone (ids.h), unless it brings its own; nothing else of
// the body is touched. So a second POST of the same event cannot create a second row: it is
// refused, and reading the row tells whether it is ours. The form is replay-safe, hence
// `on_unconfirmed` of the document has nothing to decide and is not read. Immutable; share it
// between threads, but where it packs: what that learns is of one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/packing.h"
#include "protocol/dynamics/row_keys.h"

namespace fieldpost {

class Reading;

class Dynamics final : public Protocol {
 public:
  explicit Dynamics(const Json& document);

  Call encode(const Batch& batch, const Record& record) const override;
  Verdict decode(const Call& call, const Response& response, double now_s) const override;
  std::optional<Request> question(const Call& call) const override;
  Verdict decode_answer(const Call& call, const Response& response, double now_s) const override;
  std::optional<Together> together(const Call& call) const override {
    return packing_.together(call);
  }
  std::size_t most_together() const override { return packing_.most_together(); }
  Call combine(const std::vector<const Call*>& calls) const override {
    return packing_.combine(calls);
  }
  std::vector<Verdict> decode_each(const Call& combined, const std::vector<const Call*>& calls,
                                   const Response& response, double now_s) const override {
    return packing_.decode_each(*this, combined, calls, response, now_s);
  }
  Lesson learn(const Call& combined, std::size_t records, const Response& response) override {
    return packing_.learn(combined, records, response);
  }

 private:
  struct Subscription {
    std::string id;
    const Table* table = nullptr;
  };

  void read_tables(const Json& document, Reading& reading);
  void read_subscription(const Json& given, Reading& reading);
  void read_packing(const Json& document, Reading& reading);

  std::string destination_;
  std::string api_;  // "https://org.crm.dynamics.com/api/data/v9.2/"
  std::string client_id_;
  Tables tables_;
  std::vector<Subscription> subscriptions_;
  Packing packing_{Packing::Mode::off, "", {}};
};

}  // namespace fieldpost
