// What follows from an answer: told, tried again, asked about, parked, or the end for all.
#include <algorithm>
#include <utility>

#include "dispatch/state.h"
#include "http/retry.h"

namespace fieldpost {

namespace {

Verdict tokens_refused(const Verdict& verdict) {
  Verdict pause;
  pause.kind = Verdict::Kind::pause;
  pause.code = "http_401";
  pause.message = "the destination refused a new token: " + verdict.message;
  pause.action_needed = "administrator: check the credentials of this destination and their rights";
  return pause;
}

}  // namespace

void Dispatcher::State::decide(Id id, const Verdict& verdict) {
  if (deliveries.at(id).asked_last() && concluded(id, verdict)) return;
  switch (verdict.kind) {
    case Verdict::Kind::delivered:
      tell(id, "delivered");
      break;
    case Verdict::Kind::rejected:
      if (verdict.about != Verdict::About::record) {
        suspect(id, verdict);
      } else {
        give_up(id, "rejected");
      }
      break;
    case Verdict::Kind::unconfirmed:
      tell(id, "unconfirmed");
      break;
    case Verdict::Kind::again:
      try_again(id, verdict);
      break;
    case Verdict::Kind::verify:
    case Verdict::Kind::go_on:
      ready.push_front(id);
      break;
    case Verdict::Kind::sign_in:
      sign_in(id, verdict);
      break;
    case Verdict::Kind::pause_subscription:
      pause_subscription(deliveries.at(id).subscription(), verdict);
      wait_for_subscription(id);
      break;
    case Verdict::Kind::pause:
      pause_with(verdict);
      tell(id, "waiting");
  }
}

void Dispatcher::State::try_again(Id id, const Verdict& verdict) {
  const double now_s = clock->monotonic_s();
  const Tries tries = deliveries.at(id).tries(now_s);
  trouble = {trouble.tries + 1, verdict.code, verdict.message};
  if (verdict.wait_s) {
    governor.hold_until(now_s + std::min(*verdict.wait_s, kLongestRetryAfter_s), now_s);
  }
  if (verdict.give_up_after > 0 && deliveries.at(id).refused_so() >= verdict.give_up_after) {
    give_up(id, "rejected");
    return;
  }
  std::optional<double> wait_s = next_wait_s(retry, tries, verdict.wait_s, *random);
  if (wait_s && !verdict.wait_s) {
    if (!common_wait_s) common_wait_s = wait_s;
    wait_s = common_wait_s;
  }
  if (!wait_s) {
    give_up(id, "expired");
  } else {
    wait_to_try(id, *wait_s);
  }
}

void Dispatcher::State::wait_to_try(Id id, double wait_s) {
  if (retries_take(id)) {
    retries.push({clock->monotonic_s() + wait_s, id});
  } else {
    tell(id, "waiting");
    told.back().retry_in_s = wait_s;
  }
}

// An answer that was lost on the way may have said that it took effect: ask, or say so.
void Dispatcher::State::give_up(Id id, std::string outcome) {
  Delivery& delivery = deliveries.at(id);
  if (delivery.ask_before(*protocol, outcome)) {
    ready.push_front(id);
  } else {
    tell(id, delivery.in_doubt() ? "unconfirmed" : std::move(outcome));
  }
}

// The answer to the last question, which is asked until there is one, or the time is over. A
// refusal of the kind that is believed after some tries is one where nothing speaks against it.
bool Dispatcher::State::concluded(Id id, const Verdict& verdict) {
  using Kind = Verdict::Kind;
  const bool goes_on = verdict.kind == Kind::sign_in || verdict.kind == Kind::pause ||
                       verdict.kind == Kind::pause_subscription;
  if (goes_on) return false;
  const Delivery& delivery = deliveries.at(id);
  const bool believed = verdict.give_up_after > 0 && !delivery.in_doubt();
  if (verdict.kind == Kind::again && !believed && ask_later(id, verdict)) return true;
  const bool unsure = verdict.kind != Kind::rejected && delivery.in_doubt();
  tell(id, verdict.kind == Kind::delivered ? "delivered"
           : unsure                        ? "unconfirmed"
                                           : delivery.ends_as());
  return true;
}

bool Dispatcher::State::ask_later(Id id, const Verdict& verdict) {
  const double now_s = clock->monotonic_s();
  if (verdict.wait_s) {
    governor.hold_until(now_s + std::min(*verdict.wait_s, kLongestRetryAfter_s), now_s);
  }
  const Tries tries = deliveries.at(id).tries(now_s);
  const std::optional<double> wait_s = next_wait_s(retry, tries, verdict.wait_s, *random);
  if (wait_s) wait_to_try(id, *wait_s);
  return wait_s.has_value();
}

// What waits for its next try keeps its place here only as long as it leaves room for others; what
// is in a lane keeps it, or those behind would overtake it; what is about to be given up keeps it,
// or the count of its refusals would begin anew.
bool Dispatcher::State::retries_take(Id id) const {
  const Delivery& delivery = deliveries.at(id);
  return retries.size() < std::max<std::size_t>(1, most_held() / 16) ||
         !delivery.order_key().empty() || delivery.refused_so() > 0;
}

// All that were refused with one token wait for the next; one that had a new token already and was
// refused again shows that tokens do not help.
void Dispatcher::State::sign_in(Id id, const Verdict& verdict) {
  Delivery& delivery = deliveries.at(id);
  if (delivery.refuses_tokens()) {
    pause_with(tokens_refused(verdict));
    delivery.explain_over(pause);
    tell(id, "waiting");
  } else if (delivery.token() < token) {
    ready.push_back(id);
  } else {
    parked.push_back(id);
    token_wanted = true;
  }
}

// The pause that keeps it here: of its subscription, or of one before it in its lane.
const Verdict* Dispatcher::State::held_by(const Delivery& delivery) const {
  if (paused_subscriptions.empty() || delivery.asks()) return nullptr;
  const auto before = lanes.held_for(delivery.order_key());
  const auto paused = paused_subscriptions.find(before.value_or(delivery.subscription()));
  return paused == paused_subscriptions.end() ? nullptr : &paused->second;
}

// Its records that wait for another try have their turn at once, and are held then.
void Dispatcher::State::pause_subscription(std::uint32_t subscription, const Verdict& why) {
  if (!paused_subscriptions.try_emplace(subscription, why).second) return;
  Retries others;
  for (; !retries.empty(); retries.pop()) {
    const Delivery& delivery = deliveries.at(retries.top().id);
    if (delivery.subscription() == subscription && !delivery.asks()) {
      ready.push_back(retries.top().id);
    } else {
      others.push(retries.top());
    }
  }
  retries = std::move(others);
}

void Dispatcher::State::wait_for_subscription(Id id) {
  const Delivery& delivery = deliveries.at(id);
  const std::string_view key = delivery.order_key();
  if (!key.empty()) lanes.hold(key, delivery.subscription());
  tell(id, "waiting");
}

void Dispatcher::State::pause_with(Verdict why) {
  if (!pause.code.empty()) return;
  why.code = secrets.hide(std::move(why.code));
  why.message = secrets.hide(std::move(why.message));
  pause = std::move(why);
}

// Once closed, nothing starts: what is not on the wire goes back undecided.
void Dispatcher::State::return_what_waits() {
  while (!retries.empty()) {
    ready.push_back(retries.top().id);
    retries.pop();
  }
  const auto send_back = [this](auto& ids) {
    while (!ids.empty()) {
      const Id id = ids.back();
      ids.pop_back();
      deliveries.at(id).not_sent_for(pause, "the destination");
      tell(id, "waiting");  // which may make another fresh
    }
  };
  if (pause.code.empty()) tell_suspects();  // stopped: nobody will find out; none is asked about
  std::vector<Id> suspects = refusals.take_all();
  send_back(suspects);
  while (!targets.holding().empty()) {
    Target& target = *targets.holding().front();
    std::vector<Id> held = targets.take_held(target, target.held.size());
    send_back(held);
  }
  send_back(ready);
  send_back(parked);
  send_back(fresh);
  token_wanted = false;
}

void Dispatcher::State::tell(Id id, std::string outcome) {
  Delivery& delivery = deliveries.at(id);
  if (told.empty()) told.reserve(static_cast<std::size_t>(limits.max_in_flight));
  Outcome& said = told.emplace_back(delivery.end(std::move(outcome)));
  counter.told(delivery.subscription(), delivery.attempts(), said);
  for (std::string* text : {&said.code, &said.message, &said.request_id}) {
    if (!text->empty()) *text = secrets.hide(std::move(*text));
  }
  if (const std::string_view key = delivery.order_key(); !key.empty()) {
    if (const std::optional<Id> next = lanes.leave(key)) fresh.push_back(*next);
  }
  deliveries.end(id);
}

}  // namespace fieldpost
