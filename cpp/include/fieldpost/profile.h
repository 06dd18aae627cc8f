// Counts of what a plan looks for in events: how often each path is there and of which type, how
// often each compared value occurs, how many events each subscription takes, and which names and
// values there are instead.
//
// Counts of one pass; passes over chunks one behind the other are merged in that order. Its size
// is bounded by the plan, however many events there were: see Names and ValueCounts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fieldpost {

struct Inventory;
class Slots;

class Profile {
 public:
  explicit Profile(std::shared_ptr<const Inventory> inventory);
  ~Profile();

  // For the plan. An event before its filters; a subscription that takes it; the same as its
  // mapping sees it, after transforms and functions. `text` is its JSON.
  void see(const Slots& slots, std::string_view text);
  void take(std::uint32_t subscription);
  void see_mapped(std::uint32_t subscription, const Slots& slots, std::string_view text);
  // An event that the subscription does not take: looked at as long as it took none at all, so that
  // a path that no event has is found behind a filter that lets none through.
  void see_otherwise(std::uint32_t subscription, const Slots& slots, std::string_view text);
  void received(std::uint64_t lines, std::uint64_t events, std::uint64_t by_place);

  // REQUIRES: both are of one plan, and `later` saw what came after.
  void merge(const Profile& later);

  // {"received", "events", "by_place",
  //  "subscriptions": [{"taken", "mapped"}],
  //  "paths": [{"subscription", "place", "begin", "end", "path", "filter", "items", "keys",
  //             "wanted", "counts": {"undefined", "null", "boolean", "number", …},
  //             "otherwise": the same of the events that were not taken, null where some were}],
  //  "terms": [{"text", "values": [[type, text, count]], "others"}],
  //  "values": [{"subscription", "place", "begin", "end", "text", "term", "type", "literal",
  //              "negated", "count"}],
  //  "names": of all events, then of each subscription's, then of what each did not take; see
  //           Names::append_json}
  // "subscription" is null for what is asked of every event; "keys" holds null for each item of a
  // list, and is null where the path starts at a computed value. "type" and "literal" are null of a
  // condition that is counted as a whole; "term" where it has no path.
  std::string json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
