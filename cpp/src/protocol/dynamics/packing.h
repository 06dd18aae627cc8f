// Which records of Dynamics 365 travel in one request, in which form, and how many.
//
// bulk: flat rows of one table in CreateMultiple, UpsertMultiple or UpdateMultiple, until the table
// is seen not to have them. batch: anything else in a $batch. A record that nobody goes with is
// sent as the plain request that it is. Questions whether rows exist go together in one GET.
//
// All but learn() is a function of the calls. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/bulk.h"
#include "protocol/dynamics/pack_size.h"

namespace fieldpost {

class Packing {
 public:
  enum class Mode : std::uint8_t { off, batch, bulk, automatic };

  // `api` ends with a slash. Bulk messages are for these tables.
  Packing(Mode mode, std::string api, const std::vector<BulkTable>& tables);

  static std::optional<Mode> mode_named(std::string_view name);

  // Of the bulk messages, this table takes only these (by name), which somebody has asked for.
  void restrict(std::string_view table, const std::vector<std::string>& taken);
  std::vector<Protocol::Lack> lacks() const;  // what the service refused in the words for that

  // Notes in the call how it may be packed.
  void prepare(Call& call) const;

  std::optional<Protocol::Together> together(const Call& call) const;
  std::size_t most_together() const;
  Call combine(const std::vector<const Call*>& calls) const;
  // `protocol` knows what the answer to one request means.
  std::vector<Verdict> decode_each(const Protocol& protocol, const Call& combined,
                                   const std::vector<const Call*>& calls, const Response& response,
                                   double now_s) const;

  Protocol::Lesson learn(const Call& combined, std::size_t count, const Response& response);

 private:
  enum class Form : std::uint8_t { plain, batch, create, upsert, update, existence };
  struct Shape {
    Form form = Form::plain;
    std::size_t table = 0;
  };

  static std::uint32_t noted(const Shape& shape);
  static Shape shape_in(const Call& call);
  static Form form_of(BulkMessage message);
  static BulkMessage message_of(Form form);
  Shape shape_of(const Call& call) const;  // as it would go now
  std::string key_of(const Shape& shape, const Call& call) const;
  std::optional<std::size_t> table_at(std::string_view url) const;
  Call asking(const std::vector<const Call*>& calls, const Shape& shape) const;
  std::vector<Verdict> decode_batch(const Protocol& protocol, const std::vector<const Call*>& calls,
                                    const Response& response, double now_s) const;
  void learn_refusal(const Shape& shape, PackSize& size, std::size_t count,
                     const Response& response, Protocol::Lesson& lesson);

  Mode mode_;
  std::string api_;
  std::vector<BulkTable> tables_;
  std::map<std::string, std::size_t, std::less<>> by_set_;
  std::map<std::pair<Form, std::size_t>, PackSize> sizes_;
  std::map<std::pair<Form, std::size_t>, int> refusals_;  // in a row, before the first success
  std::set<std::pair<Form, std::size_t>> proven_;         // messages that worked once
  std::set<std::pair<Form, std::size_t>> lacking_;        // messages that a table does not have
  std::set<std::pair<Form, std::size_t>> refused_;        // of those, what the service told so
  std::size_t batch_parts_ = 1000;
  std::size_t bytes_ = std::size_t{4} << 20;
  double aim_s_ = kPackAim_s;
};

}  // namespace fieldpost
