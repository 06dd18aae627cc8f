// How records become HTTP calls, and responses become verdicts. Pure: no I/O, no clock, no chance.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/json.h"
#include "fieldpost/message.h"
#include "fieldpost/record.h"

namespace fieldpost {

// Packs of records grow or shrink until one is answered in about so long; forecasts count with it.
inline constexpr double kPackAim_s = 3;

// What an author wrote about answers, compiled: a JSON text in, one out, "" where it gives nothing.
// A protocol knows no language of its own; whoever makes it hands the compiler in. Calls may
// overlap.
using Rule = std::function<std::string(std::string_view json)>;
// Compiles a mapping, behind a filter (`text`, `dialect`) where that is no null. Throws
// DocumentError.
using CompileRule = std::function<Rule(const Json& mapping, const Json& filter)>;

// What a protocol remembers of a call until its answer comes.
struct CallNotes {
  CallNotes() = default;
  CallNotes(const CallNotes&) = default;
  CallNotes& operator=(const CallNotes&) = default;
  virtual ~CallNotes() = default;
};

// One HTTP request: of one record, or of several that go together.
struct Call {
  Request request;           // not signed: the dispatcher does that
  std::string record_id;     // of the row it creates, where the protocol chose it
  std::string request_id;    // ours, sent along where the system logs it
  std::string event_id;      // that message_id is made of, where it is made when it is needed
  std::string message_id;    // the same over all tries, and after a restart
  std::string mapped_body;   // what the mapping gave, where the request's body is another text
  bool replay_safe = false;  // sending it twice has the effect of once
  bool asks = false;         // it is the question of a call, to go with others
  std::uint32_t subscription = 0;
  std::uint32_t form = 0;        // the protocol's own note of how it may be packed
  std::uint32_t operations = 1;  // that the system counts for it
  std::shared_ptr<const CallNotes> notes;
};

// The secrets that requests are signed with; "" where there is none.
struct SigningKeys {
  std::string standard_webhooks;  // the bytes that whsec_... stands for
  std::string segment;

  bool empty() const noexcept { return standard_webhooks.empty() && segment.empty(); }
};

struct Verdict {
  enum class Kind : std::uint8_t {
    delivered,
    rejected,     // for good
    again,        // did not take effect (or is replay-safe): send again when the policy says so
    unconfirmed,  // may have taken effect; sending again is not safe
    verify,       // ask `question` first; its answer goes to decode_answer
    sign_in,      // 401: a new token, then once more
    pause,        // every request would fail: stop sending
    pause_subscription,  // every request of this subscription would fail: stop sending those
    go_on,               // not done yet: `next` takes the call's place, at once
  };
  Kind kind = Kind::rejected;
  std::string effect;         // created, updated, unchanged, deleted, accepted
  std::string code;           // the service's own, or ours
  std::string message;        // the service's words, cut to 500 characters
  std::string action_needed;  // what to do, by whom
  std::string reason;         // of a pause, in words that hold nothing of an event; "" without any
  std::string record_id;
  std::string request_id;        // the service's
  std::optional<double> wait_s;  // Retry-After, seconds from now
  int http_status = 0;           // of this record alone, where the answer tells of several
  bool alone = false;            // of several records: smaller calls may tell which it is
  bool unheard = false;          // the answer leaves open whether this record took effect
  // The widest thing that a rejection may be about, when different records meet the same one.
  enum class About : std::uint8_t {
    record,       // this record and nothing else
    address,      // the address it was sent to
    host,         // each address of that scheme, host and port
    destination,  // every request, wherever it goes
  };
  About about = About::record;
  bool foreign = false;   // something else than the system answered
  int give_up_after = 0;  // `again` turns into `rejected` after so many such answers; 0: never
  std::optional<Request> question;
  std::shared_ptr<const Call> next;
};

// Thrown by encode: this record cannot become a request. It ends as `invalid`; nothing is sent.
struct CallFault {
  std::string code;
  std::string message;  // never holds a value of the event
  std::string action_needed;
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  // The exact request of a record. REQUIRES: record is of batch, which outlives the call. Throws
  // CallFault.
  virtual Call encode(const Batch& batch, const Record& record) const = 0;
  // Headers that prove who sends the call, made anew for each try at `unix_s`. The keys are not
  // empty.
  virtual std::vector<Header> signatures(const Call&, const SigningKeys&, std::int64_t) const {
    return {};
  }
  // `now_s` (Unix time) is given because Retry-After may be a date.
  virtual Verdict decode(const Call& call, const Response& response, double now_s) const = 0;
  // The addresses, or beginnings of them, that all requests go to; none where records choose.
  virtual std::vector<std::string> addresses() const { return {}; }
  // Records of one call, where the system takes several: those of equal keys may go together, at
  // most `records` of them and about `bytes` of bodies, and no two of one row. Others (the default)
  // go one by one. A question comes as a call that asks.
  struct Together {
    std::string key;
    std::size_t records = 1;
    std::size_t bytes = 0;
    std::string row;  // in one spelling; "" where rows do not matter
  };
  virtual std::optional<Together> together(const Call&) const { return std::nullopt; }
  virtual std::size_t most_together() const { return 1; }  // records of any call
  // REQUIRES: together() gave all of them the same key. The calls are those of encode().
  virtual Call combine(const std::vector<const Call*>& calls) const;
  // One verdict for each record of a combined call, in their order.
  virtual std::vector<Verdict> decode_each(const Call& combined,
                                           const std::vector<const Call*>& calls,
                                           const Response& response, double now_s) const;
  // What an answer says of those to come. Called for each answer to a call that together() knows,
  // after its verdicts; the only member that changes the protocol.
  struct Lesson {
    int in_flight_hint = 0;  // calls at once that the system recommends; 0: it does not say
    bool over_time = false;  // it counted more time than it gives
  };
  virtual Lesson learn(const Call& /*combined*/, std::size_t /*records*/, const Response&) {
    return {};
  }
  // What the system said in these words that it does not have: worth remembering for other runs.
  struct Lack {
    std::string table, message;
  };
  virtual std::vector<Lack> lacks() const { return {}; }
  // A request that finds out whether the call took effect, where the system can tell.
  virtual std::optional<Request> question(const Call&) const { return std::nullopt; }
  // The call that an answer may put in this one's place, where it is known before any answer;
  // `when` says which answer, for people.
  struct Successor {
    std::string when;
    std::shared_ptr<const Call> call;
  };
  virtual std::optional<Successor> successor(const Call&) const { return std::nullopt; }
  // The answer to a question. A rejection without a code keeps the code, message and
  // action_needed of the verdict that asked. `again` sends the call again, not the question.
  virtual Verdict decode_answer(const Call& call, const Response& response, double now_s) const = 0;
};

// The protocol a compiled destination document names ("webhook", "dynamics365"). `compile`: for
// what authors write about answers. Throws DocumentError.
std::unique_ptr<Protocol> make_protocol(const Json& document, const CompileRule& compile = {});

}  // namespace fieldpost
