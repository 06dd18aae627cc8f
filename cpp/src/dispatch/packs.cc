// Several records in one request: who travels together, and what its answer says of each.
#include <algorithm>
#include <unordered_set>
#include <utility>

#include "dispatch/state.h"

namespace fieldpost {

namespace {

// The verdict that says most for the target.
const Verdict& best_of(const Response& response, const std::vector<Verdict>& verdicts) {
  return *std::min_element(verdicts.begin(), verdicts.end(),
                           [&](const Verdict& a, const Verdict& b) {
                             return answer_of(response, a) < answer_of(response, b);
                           });
}

}  // namespace

// One request for this record and those like it that wait; it flies under the id of the first.
void Dispatcher::State::start_together(Id id, const Protocol::Together& together, double now_s) {
  gather(id, together);
  Call combined = protocol->combine(calls_of(starting));
  const auto at = packs.emplace(id, Pack{starting, std::move(combined), together.key}).first;
  Pack& pack = at->second;
  try {
    send(id, pack.call.request, signatures(pack.call), now_s);
  } catch (...) {
    packs.erase(at);
    throw;
  }
  operations += pack.call.operations;
  for (const Id member : pack.members) {
    deliveries.at(member).started(now_s, token);
  }
}

std::vector<const Call*> Dispatcher::State::calls_of(const std::vector<Id>& members) {
  std::vector<const Call*> calls;
  calls.reserve(members.size());
  for (const Id member : members) calls.push_back(deliveries.at(member).plain_call(*protocol));
  return calls;
}

void Dispatcher::State::gather(Id id, const Protocol::Together& together) {
  std::vector<Id>& members = starting;
  const Call& first = *deliveries.at(id).plain_call(*protocol);
  std::size_t bytes = first.request.body_text().size();
  std::uint64_t counted = operations + first.operations;
  std::unordered_set<std::string> rows = {together.row};
  std::size_t most = std::min(together.records, deliveries.at(id).company());
  if (targets.of(first.request.url).breaker.is_open()) most = 1;  // a probe
  const auto joins = [&](Id other) {
    Delivery& delivery = deliveries.at(other);
    if (delivery.company() <= members.size()) return false;
    if (held_by(delivery) != nullptr) return false;
    const Call* call = nullptr;
    try {
      call = delivery.plain_call(*protocol);
    } catch (const CallFault&) {
      return false;  // it is told when its turn comes
    }
    const auto its = protocol->together(*call);
    if (!its || its->key != together.key) return false;
    if (bytes + call->request.body_text().size() > together.bytes) return false;
    if (counted + call->operations > limits.operations) return false;
    if (!its->row.empty() && !rows.insert(its->row).second) return false;
    bytes += call->request.body_text().size();
    counted += call->operations;
    most = std::min(most, delivery.company());
    return true;
  };
  for (std::deque<Id>* queue : {&ready, &fresh}) {
    std::size_t left = 2 * together.records;  // to look at; the rest has its turn
    for (auto at = queue->begin(); at != queue->end() && members.size() < most && left > 0;
         --left) {
      if (joins(*at)) {
        members.push_back(*at);
        at = queue->erase(at);
      } else {
        ++at;
      }
    }
  }
}

void Dispatcher::State::complete_together(const Pack& pack, const Response& response,
                                          const Moment& now) {
  const std::size_t count = pack.members.size();
  std::vector<Verdict> verdicts =
      protocol->decode_each(pack.call, calls_of(pack.members), response, now.unix_s);
  learn(pack, response);
  const bool busy = std::any_of(verdicts.begin(), verdicts.end(),
                                [&](const Verdict& one) { return is_busy(response, one); });
  governor.ended(end_of(response, busy, count), deliveries.at(pack.members.front()).last_start_s(),
                 now.s);
  watch(
      {pack.members.front(), pack.call.request.url, response, best_of(response, verdicts), now.s});
  std::vector<Id> in_parts;
  for (std::size_t i = 0; i < count; ++i) {
    Delivery& delivery = deliveries.at(pack.members[i]);
    const bool asked = delivery.asks();
    const Verdict verdict = delivery.answered_among(std::move(verdicts[i]), response, now.s);
    const bool split = verdict.alone && count > 1;
    if (split) delivery.split(count, asked);
    const bool at_once = verdict.kind == Verdict::Kind::again && verdict.wait_s == 0;
    if (!split && !asked && at_once && goes_otherwise(delivery, pack)) delivery.says_nothing();
    if (split && verdict.kind == Verdict::Kind::rejected) {
      in_parts.push_back(pack.members[i]);
    } else {
      decide(pack.members[i], verdict);
    }
  }
  // Before others: what one of them shows may end the matter for all.
  ready.insert(ready.begin(), in_parts.begin(), in_parts.end());
}

// What went wrong was the form that they went in, and the next is another.
bool Dispatcher::State::goes_otherwise(Delivery& delivery, const Pack& pack) const {
  if (pack.members.size() < 2) return false;
  const auto together = protocol->together(*delivery.plain_call(*protocol));
  return !together || together->key != pack.key;
}

void Dispatcher::State::learn(const Pack& pack, const Response& response) {
  const Protocol::Lesson lesson = protocol->learn(pack.call, pack.members.size(), response);
  governor.begin_at(lesson.in_flight_hint);
  if (lesson.over_time) governor.time_exceeded(clock->monotonic_s());
}

}  // namespace fieldpost
