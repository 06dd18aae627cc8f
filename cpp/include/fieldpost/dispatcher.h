// Delivers records: encodes, sends, decodes, retries, paces; tells one outcome for each.
//
// The caller (Python) drives: offer() takes records whose claims are already in the ledger,
// settle() makes the network move and returns what was decided. Nothing happens between calls and
// no thread is started. One thread at a time; refuses to work in a forked child.
//
// Records with the same order key are delivered one after the other, as they were offered; one that
// is rejected, expired or unconfirmed does not stop those behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fieldpost/policy.h"
#include "fieldpost/protocol.h"
#include "fieldpost/record.h"
#include "fieldpost/transport.h"

namespace fieldpost {

class Clock;
class Random;

// A record on its way in: its place in the batch, and its claim in the ledger.
struct Offer {
  std::uint32_t index = 0;    // into Batch::records
  std::int64_t claim = 0;     // the ledger's key; comes back in the outcome
  double elapsed_s = 0;       // since its first try in an earlier run
  std::int32_t attempts = 0;  // in earlier runs
  bool in_doubt = false;      // an earlier run may have had it delivered without hearing of it
  std::int32_t tries = 0;     // in earlier offers of this run, as Outcome tells them
};

struct Outcome {
  std::int64_t claim = 0;
  // delivered, rejected, unconfirmed, expired, waiting; invalid: no request could be made of it
  std::string outcome;
  std::string effect;
  std::int32_t attempts = 0;     // over all runs
  std::int32_t http_status = 0;  // of the last answer; 0: none
  std::string code;
  std::string message;
  std::string action_needed;
  std::string record_id;  // where a row is there, or may be: of delivered and unconfirmed
  std::string request_id;
  double latency_ms = 0;  // first start of this run to the last answer
  // Of `waiting`: offer it again after so long. Negative: not in this run.
  double retry_in_s = -1;
  bool in_doubt = false;   // of `waiting`: as in Offer, for the next one
  std::int32_t tries = 0;  // of `waiting`: likewise
};

// What the records of one subscription came to in numbers. Bucket i counts latencies up to
// kLeast_ms * 2^(i / kPerDoubling); the last one, all above.
struct Traffic {
  static constexpr double kLeast_ms = 0.1;
  static constexpr int kPerDoubling = 8;
  static constexpr std::size_t kBuckets = 232;  // up to 14 hours

  std::uint64_t attempts = 0;            // tries of records
  std::vector<std::uint64_t> latencies;  // empty while nothing was decided
};

class Dispatcher {
 public:
  Dispatcher(std::unique_ptr<Protocol> protocol, std::unique_ptr<Transport> transport,
             RetryPolicy retry, Limits limits, std::shared_ptr<const Clock> clock,
             std::shared_ptr<Random> random, BreakerPolicy breaker = {});
  ~Dispatcher();

  void offer(std::shared_ptr<const Batch> batch, const std::vector<Offer>& offers);
  // Lets requests flow; returns when there are outcomes and nothing new is left to start (or a few
  // milliseconds have passed), when a token is wanted or the destination is paused, and after
  // timeout_s at the latest.
  std::vector<Outcome> settle(double timeout_s);

  // Signs what starts from now on; `header` is the value, "" for none. A request that brings a
  // header of that name keeps its own.
  void authorize(std::string header, std::string name = "Authorization");
  // What starts from now on carries the signatures that the protocol makes with these.
  void sign_with(SigningKeys keys);
  // This text is in no message, whatever the destination answers.
  void hide(std::string text);
  bool token_wanted() const noexcept;        // a 401 came back: authorize() with a new token
  std::size_t outstanding() const noexcept;  // offered and not yet told
  std::size_t capacity() const noexcept;  // records that it holds at once: room() of an empty one
  std::size_t room() const noexcept;  // records it will take now: 2 * max_in_flight calls of them
  std::size_t in_flight() const noexcept;

  // This process's part of the limits, where several processes share the target. Numbers above what
  // the dispatcher was made with mean that; what is in flight beyond a smaller part ends as it
  // does. starts: requests in all, those before among them; negative for no bound.
  void allow(int max_in_flight, int requests_per_window, std::int64_t starts = -1);
  // Nothing starts for so long: another process that shares the target was told to wait.
  void hold(double seconds);
  // So many requests were made beside this, just now: they count among those started.
  // REQUIRES: nothing was offered yet.
  void count_started(int requests);
  std::uint64_t started() const noexcept;  // requests so far, questions among them
  // Operations in them, each record and question of a pack counted.
  std::uint64_t operations() const noexcept;
  // Nothing starts beyond so many operations, counted from the first.
  void allow_operations(std::uint64_t in_all) noexcept;
  bool used_up() const noexcept;  // those are started: what waits comes back as `waiting`
  double held_s() const;  // how long nothing may start, because the destination asked for a wait
  double throttled_s() const;  // how long nothing might start, for that reason, so far
  const std::vector<Traffic>& traffic() const noexcept;  // by subscription

  // Tries that came to nothing yet and are followed by another, and why the last of them did.
  struct Trouble {
    std::uint64_t tries = 0;
    std::string code, message;
  };
  Trouble trouble() const;
  // A target that answers only failures, so that it is probed with one record at a time.
  struct Opening {
    std::string target;         // "https://host"
    double since_s = 0;         // so long ago
    double next_probe_s = 0;    // from now; 0: a probe is on the wire, or about to be
    std::string code, message;  // of its last failure
  };
  std::vector<Opening> openings() const;
  bool has_one_target() const noexcept;  // all calls go there; false where records choose
  // How long ago an answer showed that the only target is at work; negative: none did.
  double well_ago_s() const;
  // Another run found the only target failing `since_s` ago and probes it in `next_probe_s`, or its
  // probe had a good answer. No effect where records choose their targets.
  void follow(double since_s, double next_probe_s);
  void release();

  // Subscriptions that nothing more is sent of, and why: code, message, action_needed.
  struct Paused {
    std::uint32_t subscription = 0;
    std::string code, message, action_needed;
  };
  std::vector<Paused> paused() const;

  // What the system said that it does not have, for other runs to be made with.
  std::vector<Protocol::Lack> lacks() const;

  const std::string& pause_code() const noexcept;  // "" while not paused
  const std::string& pause_message() const noexcept;

  // No request is started any more. What is in flight is settled; what waits comes back as
  // `waiting` from the next settle().
  void stop() noexcept;

  // The same, and no answer is awaited any more: what is in flight is settled as one whose answer
  // was lost. Connections are closed.
  void hang_up();

  // The request of a record as it would be sent, but for Authorization. Sends nothing.
  // Throws CallFault, and std::out_of_range where the batch has no such record.
  Call preview(const Batch& batch, std::uint32_t index) const;
  // What may go out in place of a previewed call, one after the other; each request once.
  std::vector<Protocol::Successor> successors(const Call& previewed) const;
  // What the destination counts for the request of each record, and for those that may go out in
  // its place; 0 where none can be made of it.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> weigh(const Batch& batch) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A dispatcher over libcurl and the system's clock. All but "protocol" is optional:
// {"protocol": {...}, "transport": {see make_transport_options},
//  "retry": {"max_elapsed_s", "max_attempts", "wait_initial_s", "wait_max_s", "statuses"},
//  "limits": {"max_in_flight", …}, "breaker": {"failures", "share", "doubts", "refusals"}}.
// Throws DocumentError.
std::unique_ptr<Dispatcher> make_dispatcher(const Json& document, const CompileRule& compile = {});

}  // namespace fieldpost
