// All subscriptions of a destination, compiled. Immutable, shareable between threads.
//
// process() is the whole way from lines to records. Where a destination has insert functions the
// way is cut in two: select() tells which events matter, render() maps what the functions returned.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/chunk.h"
#include "fieldpost/json.h"
#include "fieldpost/profile.h"
#include "fieldpost/record.h"

namespace fieldpost {

// An event that at least one subscription wants, after its transforms; `text` lies in the batch's
// arena. Where transforms make several texts of one event, each has an entry of its own.
struct Selected {
  Position position;
  Span text;
  Span event_id;
  std::vector<std::uint32_t> subscriptions;
};

struct Chosen {
  Batch batch;  // already counts what is filtered or not an event
  std::vector<Selected> events;
};

// What a function made of one event.
struct Changed {
  enum class Kind : std::uint8_t { event, dropped, invalid };
  Kind kind = Kind::event;
  std::string_view text;  // the event's JSON
  std::string code;       // of dropped and invalid
  std::string message;
};

// An event that is taken up again, under the identity it had.
struct Recalled {
  Position position;
  std::string_view event_id;
  std::string_view text;
  std::vector<std::uint32_t> subscriptions;
};

class Plan {
 public:
  // {"event_id": <directive> | "content" | absent,
  //  "integrations": <the destination's name in an event's integrations object> | absent,
  //  "order_by": <directive> | null | absent,
  //  "subscriptions": [{"filter", "dialect", "transforms", "body", "body_required", "url",
  //                     "headers", "order_by"}]}
  // Without "body" the body is the whole event; with null there is none. A subscription's own
  // "order_by" takes the place of the other, also with null.
  // Throws DocumentError with every mistake.
  explicit Plan(const Json& document);
  ~Plan();

  std::shared_ptr<Batch> process(const Chunk& chunk) const;
  // The same for one event, which may be spread over several lines of text.
  std::shared_ptr<Batch> process_event(std::string_view event) const;
  std::shared_ptr<Chosen> select(const Chunk& chunk) const;
  // What select() would have chosen, had the filters been asked: for render().
  std::shared_ptr<Chosen> recall(std::string source, const std::vector<Recalled>& events) const;
  std::shared_ptr<Batch> render(const Chosen& chosen, const std::vector<Changed>& changed) const;

  // Counts how often a chunk's events have each thing that the plan looks for. `mapped`: those that
  // the mappings read too; where functions change events first, that is left to profile_changed().
  std::shared_ptr<Profile> profile(const Chunk& chunk, bool mapped) const;
  void profile_changed(const Chosen& chosen, const std::vector<Changed>& changed,
                       Profile& profile) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
