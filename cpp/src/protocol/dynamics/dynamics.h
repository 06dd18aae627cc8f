// Microsoft Dynamics 365: records become OData requests to Dataverse's Web API 9.2.
//
// {"type": "dynamics365", "destination": id, "url": "https://org...", "client_id": shown in hints,
//  "environment": the url in the spelling that ids are made of, as it stands without it,
//  "former_environments": other spellings that rows may have been made under,
//  "subscriptions": [see subscription.h], "tables": see tables.h,
//  "batching": "off" (as without it), "batch", "bulk" or "auto", see packing.h,
//  "bulk": {"account": ["CreateMultiple"]}: all the bulk messages of a table, where that is known,
//  "operations_per_day": the cap, where there is one}
//
// Every action can be sent again without taking effect twice (actions/ say how, each for itself),
// so `on_unconfirmed` of the document has nothing to decide and is not read. What an answer proves
// is decided in verdicts.h. Immutable; share it between threads, but where it packs: what that
// learns is of one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/packing.h"
#include "protocol/dynamics/reference.h"
#include "protocol/dynamics/subscription.h"
#include "protocol/dynamics/tables.h"
#include "protocol/dynamics/verdicts.h"

namespace fieldpost {

class Reading;

class Dynamics final : public Protocol {
 public:
  explicit Dynamics(const Json& document);
  Dynamics(const Dynamics&) = delete;  // its parts point at each other
  Dynamics& operator=(const Dynamics&) = delete;

  std::vector<std::string> addresses() const override { return {api_}; }
  Call encode(const Batch& batch, const Record& record) const override;
  Verdict decode(const Call& call, const Response& response, double now_s) const override;
  std::optional<Successor> successor(const Call& call) const override;
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
  std::vector<Lack> lacks() const override { return packing_.lacks(); }

 private:
  void read_packing(const Json& document, Reading& reading);
  void refuse_too_many(std::uint32_t operations) const;
  void finish(Call& call, std::uint32_t subscription, const std::string& id) const;

  std::string destination_;
  dynamics::Environment environment_;
  std::string api_;  // "https://org.crm.dynamics.com/api/data/v9.2/"
  std::string client_id_;
  std::uint32_t operations_per_day_ = UINT32_MAX;
  // The tables as subscriptions see them: the first entry is for all that have no columns of their
  // own.
  struct View {
    dynamics::Tables tables;
    dynamics::References references;

    View(dynamics::Tables seen, const dynamics::Environment& environment)
        : tables(std::move(seen)), references(tables, environment) {}
    View(const View&) = delete;
    View& operator=(const View&) = delete;
  };
  struct Entry {
    dynamics::Subscription subscription;
    const View* view = nullptr;
  };

  const View& view_for(const Json& given, const std::string& path, Reading& reading);

  std::vector<std::unique_ptr<const View>> views_;
  std::vector<Entry> entries_;
  std::optional<dynamics::Verdicts> verdicts_;  // once the tables are read
  Packing packing_{Packing::Mode::off, "", {}};
};

}  // namespace fieldpost
