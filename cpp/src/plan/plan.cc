#include "fieldpost/plan.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/number.h"
#include "base/text.h"
#include "base/uuid.h"
#include "event/selection.h"
#include "event/walker.h"
#include "fieldpost/error.h"
#include "fieldpost/filter.h"
#include "fieldpost/mapping.h"
#include "filter/datum.h"
#include "plan/integrations.h"
#include "plan/inventory.h"
#include "transform/transforms.h"

namespace fieldpost {
namespace {

struct Subscription {
  Filter filter;
  std::optional<Transforms> transforms;
  std::optional<Mapping> body;  // none: the request has no body
  bool body_required;
  std::optional<Mapping> url;
  std::optional<Mapping> headers;
  std::shared_ptr<const Mapping> order_by;  // none: whenever
};

// Compiles what a document names, keeping on after a mistake so that all are told.
class Documents {
 public:
  template <typename Make>
  auto compile(const std::string& path, Make make) -> std::optional<decltype(make())> {
    try {
      return make();
    } catch (const DocumentError& error) {
      for (Mistake mistake : error.mistakes()) {
        if (mistake.path.empty()) mistake.path = path;
        mistakes_.push_back(std::move(mistake));
      }
      return std::nullopt;
    }
  }
  void finish() {
    if (!mistakes_.empty()) throw DocumentError(std::move(mistakes_));
  }

 private:
  std::vector<Mistake> mistakes_;
};

}  // namespace

struct Plan::State {
  Selection selection;
  std::vector<Subscription> subscriptions;
  std::optional<Mapping> event_id;  // none: the content identifies an event
  std::optional<Integrations> integrations;
  std::shared_ptr<const Mapping> order_by;  // of subscriptions that say nothing else
  std::shared_ptr<const Inventory> inventory;

  explicit State(const Json& document) {
    Documents documents;
    if (!document.contains("event_id") || document.at("event_id") != "content") {
      const Json fallback = {{"@path", "$.messageId"}};
      const Json& text = document.contains("event_id") ? document.at("event_id") : fallback;
      event_id = documents.compile(
          "$.event_id", [&] { return Mapping(text, selection, "$.event_id", Use::key); });
    }
    if (document.contains("integrations")) {
      integrations.emplace(document.at("integrations").get<std::string>(), selection);
    }
    order_by = order(documents, document, "$");
    const Json& listed = document.at("subscriptions");
    for (std::size_t i = 0; i < listed.size(); ++i) {
      add(documents, listed[i], "$.subscriptions[" + std::to_string(i) + "]");
    }
    documents.finish();
    inventory = take_inventory();
  }

  std::shared_ptr<const Inventory> take_inventory() const {
    auto taken = std::make_shared<Inventory>();
    taken->of_subscriptions.resize(subscriptions.size());
    if (event_id) taken->add_mapping(kEveryEvent, *event_id);
    for (std::size_t i = 0; i < subscriptions.size(); ++i) {
      const auto number = static_cast<std::int32_t>(i);
      const Subscription& one = subscriptions[i];
      taken->add_filter(number, one.filter, selection);
      for (const auto* part : {&one.url, &one.headers, &one.body}) {
        if (*part) taken->add_mapping(number, **part);
      }
      if (one.order_by) taken->add_mapping(number, *one.order_by);
    }
    return taken;
  }

  std::shared_ptr<const Mapping> order(Documents& documents, const Json& document,
                                       const std::string& path) {
    if (!document.contains("order_by") || document.at("order_by").is_null()) return nullptr;
    const std::string at = path + ".order_by";
    auto mapping = documents.compile(
        at, [&] { return Mapping(document.at("order_by"), selection, at, Use::key); });
    return mapping ? std::make_shared<const Mapping>(std::move(*mapping)) : nullptr;
  }

  void add(Documents& documents, const Json& document, const std::string& path) {
    const std::string filter_text = document.value("filter", std::string("all"));
    auto filter = documents.compile(path + ".filter", [&] {
      const std::string dialect = document.value("dialect", std::string("fieldpost"));
      return Filter(filter_text, selection, dialect_named(dialect));
    });
    std::optional<Transforms> transforms;
    if (document.contains("transforms") && !document.at("transforms").empty()) {
      const std::string at = path + ".transforms";
      transforms = documents.compile(at, [&] { return Transforms(document.at("transforms"), at); });
    }
    const auto mapping = [&](const char* key, Use use) -> std::optional<Mapping> {
      if (!document.contains(key) || document.at(key).is_null()) return std::nullopt;
      const std::string at = path + "." + key;
      return documents.compile(at, [&] { return Mapping(document.at(key), selection, at, use); });
    };
    std::optional<Mapping> body = mapping("body", Use::body);
    std::optional<Mapping> url = mapping("url", Use::address);
    std::optional<Mapping> headers = mapping("headers", Use::key);
    if (!body && !document.contains("body")) body = Mapping(Json{{"@path", "$."}}, selection);
    auto ordered = document.contains("order_by") ? order(documents, document, path) : order_by;
    if (!filter) return;
    const bool required = document.value("body_required", true);
    subscriptions.push_back({std::move(*filter), std::move(transforms), std::move(body), required,
                             std::move(url), std::move(headers), std::move(ordered)});
  }
};

namespace {

// One thread's way through a chunk.
class Pass {
 public:
  Pass(const Selection& selection, const std::vector<Subscription>& subscriptions,
       const std::optional<Mapping>& event_id, const std::optional<Integrations>& integrations,
       Batch& batch, std::string source, bool has_place)
      : selection_(selection),
        subscriptions_(subscriptions),
        event_id_(event_id),
        integrations_(integrations),
        batch_(batch),
        has_place_(has_place),
        slots_(selection) {
    batch_.source = std::move(source);
    batch_.filtered.resize(subscriptions.size());
  }

  // Visits every line that is an event with an identity, its slots filled; others have ended as
  // invalid.
  template <typename Visit>
  void each(const Chunk& chunk, Visit visit) {
    walker_.open(chunk.lines(), chunk.start());
    for (Line line; walker_.next(selection_, slots_, line);) {
      if (accept(line)) visit(line);
    }
  }

  // The same for one event, which may be spread over several lines.
  bool read(std::string_view event, Position position) {
    return accept({event, position, walker_.walk(event, selection_, slots_)});
  }

  bool wants(std::uint32_t subscription, Position position) {
    if (!subscriptions_[subscription].filter.matches(slots_, texts_)) {
      batch_.filtered[subscription].hashes.push_back(identity_hash_);
      return false;
    }
    if (!integrations_ || !integrations_->excludes(slots_)) return true;
    end(position, subscription, event_id_span_, false, "E247",
        "the event's integrations object excludes this destination");
    return false;
  }

  bool changes(std::uint32_t subscription) const {
    return subscriptions_[subscription].transforms.has_value();
  }

  // What the subscription's transforms make of the line (perhaps itself), or "" where they ended
  // the event. Lives until the next call. REQUIRES: changes(subscription).
  std::string_view changed(std::uint32_t subscription, std::string_view line, Position position) {
    const std::optional<Ending> ending =
        subscriptions_[subscription].transforms->apply(line, batch_.text(event_id_span_), changed_);
    if (!ending) return changed_.empty() ? line : changed_;
    end(position, subscription, event_id_span_, ending->invalid, ending->code, ending->message);
    return {};
  }

  // The line, or what the subscription's transforms make of it, mapped.
  void deliver(std::uint32_t subscription, std::string_view line, Position position) {
    if (const Slots* slots = read_changed(subscription, line, position)) {
      map(subscription, position, *slots);
    }
  }

  const Slots& slots() const { return slots_; }

  // The slots of what the subscription's transforms make of the line, which `line` becomes; null
  // where they ended the event.
  const Slots* read_changed(std::uint32_t subscription, std::string_view& line, Position position) {
    if (!changes(subscription)) return &slots_;
    const std::string_view text = changed(subscription, line, position);
    if (text.empty()) return nullptr;
    if (text.data() == line.data()) return &slots_;
    line = text;
    if (!changed_slots_) changed_slots_.emplace(selection_);
    const LineFault fault = changed_walker_.walk(text, selection_, *changed_slots_);
    if (!fault) return &*changed_slots_;
    end(position, subscription, event_id_span_, true, "E246",
        "the transforms' result is no event: " + std::string(fault.message));
    return nullptr;
  }

  // `line` became the event to map (after a function); its identity stays the original's.
  bool reread(std::string_view line, Position position, Span event_id,
              const std::vector<std::uint32_t>& wanted) {
    event_id_span_ = event_id;
    identity_hash_ = hash64(batch_.text(event_id));
    const LineFault fault = walker_.walk(line, selection_, slots_);
    if (!fault) return true;
    for (const std::uint32_t subscription : wanted) {
      end(position, subscription, event_id, true, "E412",
          "the function's result is no event: " + std::string(fault.message));
    }
    return false;
  }

  void map(std::uint32_t subscription, Position position) { map(subscription, position, slots_); }

  void end(Position position, std::uint32_t subscription, Span event_id, bool invalid,
           std::string code, std::string message) {
    batch_.ended.push_back({position, subscription, event_id, hash64(batch_.text(event_id)),
                            invalid, std::move(code), std::move(message)});
  }

  // The next event has an identity from before.
  void recall(std::string_view event_id) {
    ++batch_.received;
    event_id_span_ = batch_.keep(event_id);
  }

  Span event_id() const { return event_id_span_; }

 private:
  // False where the line has ended as invalid.
  bool accept(const Line& line) {
    ++batch_.received;
    const LineFault& fault = line.fault;
    if (fault) {
      const Span id = batch_.keep(place_or_content(line.text, line.position));
      std::string message =
          std::string(fault.message) + " (byte " + std::to_string(fault.offset) + " of the line)";
      end_all(line.position, id, fault.code, message);
      return false;
    }
    identify(line.text, line.position);
    if (identity_.empty()) {
      const Span id = batch_.keep("content:" + uuid5(kFieldpostNamespace, line.text));
      end_all(line.position, id, "E404", "event_id gives nothing for this event");
      return false;
    }
    identity_hash_ = hash64(identity_);
    event_id_span_ = batch_.keep(identity_);
    if (!former_.empty()) batch_.former.push_back({event_id_span_, batch_.keep(former_)});
    return true;
  }

  void map(std::uint32_t index, Position position, const Slots& slots) {
    const Subscription& subscription = subscriptions_[index];
    Record record;
    record.position = position;
    record.subscription = index;
    record.event_id = event_id_span_;
    record.hash = identity_hash_;
    const std::size_t before = batch_.arena.size();
    try {
      if (subscription.body) record.body = render(*subscription.body, slots);
      if (record.body.size == 0 && subscription.body_required) {
        throw EventFault{"E403", "the body is undefined for this event"};
      }
      if (subscription.url) record.url = text_of(*subscription.url, slots);
      if (subscription.headers) record.headers = render(*subscription.headers, slots);
      if (subscription.order_by) record.order_key = key_of(*subscription.order_by, slots);
    } catch (const EventFault& fault) {
      batch_.arena.resize(before);
      end(position, index, event_id_span_, true, fault.code, fault.message);
      return;
    }
    batch_.records.push_back(record);
  }

  Span render(const Mapping& mapping, const Slots& slots) {
    const std::size_t begin = batch_.arena.size();
    mapping.render(slots, batch_.arena);
    return {begin, batch_.arena.size() - begin};
  }

  // A url is text, so its JSON string is opened.
  Span text_of(const Mapping& mapping, const Slots& slots) {
    std::string json;
    mapping.render(slots, json);
    const Value value(json);
    if (value.kind() != Value::Kind::string || json.size() == 2) {
      throw EventFault{"E408", "the url is not a text for this event"};
    }
    return batch_.keep(value.string());
  }

  // A text is opened, so that it equals one that is escaped otherwise; a number has one text
  // however it is written; the rest is its JSON.
  Span key_of(const Mapping& mapping, const Slots& slots) {
    given_.clear();
    if (!mapping.render(slots, given_)) return {};
    const Value value(given_);
    if (value.is_string()) return batch_.keep(value.string());
    if (value.kind() == Value::Kind::number) return batch_.keep(number_key(given_));
    return value.kind() == Value::Kind::null ? Span{} : batch_.keep(given_);
  }

  void end_all(Position position, Span id, const std::string& code, const std::string& message) {
    for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
      end(position, i, id, true, code, message);
    }
  }

  // What event_id gives: a text, or a number's one text. "" where it gives nothing. The former
  // identity of a number is the number as it is written.
  void take_given_identity() {
    identity_.clear();
    former_.clear();
    given_.clear();
    try {
      if (!event_id_->render(slots_, given_)) return;
    } catch (const EventFault&) {
      return;
    }
    const Value value(given_);
    if (value.is_string()) append_unescaped(value.inside(), identity_);
    if (value.kind() != Value::Kind::number) return;
    identity_ = number_key(given_);
    if (identity_ != given_) former_ = given_;
  }

  void identify(std::string_view line, Position position) {
    if (!event_id_) {
      identity_ = "content:" + uuid5(kFieldpostNamespace, line);
      return;
    }
    take_given_identity();
    if (identity_.empty() && has_place_) {
      identity_ = place_or_content(line, position);
      ++batch_.by_place;
    }
  }

  std::string place_or_content(std::string_view line, Position position) const {
    const std::string content = uuid5(kFieldpostNamespace, line);
    if (!has_place_) return "content:" + content;
    return "line:" + batch_.source + ":" + std::to_string(position.line) + ":" + content;
  }

  const Selection& selection_;
  const std::vector<Subscription>& subscriptions_;
  const std::optional<Mapping>& event_id_;
  const std::optional<Integrations>& integrations_;
  Batch& batch_;
  bool has_place_;
  Walker walker_;
  Slots slots_;
  std::string changed_;  // an event after transforms, and what its walk found
  Walker changed_walker_;
  std::optional<Slots> changed_slots_;
  Texts texts_;
  std::string given_;  // what event_id or order_by rendered
  std::string identity_;
  std::string former_;
  std::uint64_t identity_hash_ = 0;
  Span event_id_span_;
};

// Adds an event as its subscriptions' transforms leave it: once where they leave it the same.
void choose(Pass& pass, Chosen& chosen, std::string_view event, Position position,
            const std::vector<std::uint32_t>& wanted) {
  const std::size_t first = chosen.events.size();
  for (const std::uint32_t subscription : wanted) {
    const std::string_view text =
        pass.changes(subscription) ? pass.changed(subscription, event, position) : event;
    if (text.empty()) continue;
    const auto same = std::find_if(
        chosen.events.begin() + static_cast<std::ptrdiff_t>(first), chosen.events.end(),
        [&](const Selected& one) { return chosen.batch.text(one.text) == text; });
    if (same != chosen.events.end()) {
      same->subscriptions.push_back(subscription);
    } else {
      const Span kept = chosen.batch.keep(text);
      chosen.events.push_back({position, kept, pass.event_id(), {subscription}});
    }
  }
}

}  // namespace

Plan::Plan(const Json& document) : state_(std::make_unique<State>(document)) {}
Plan::~Plan() = default;

std::shared_ptr<Batch> Plan::process_event(std::string_view event) const {
  auto batch = std::make_shared<Batch>();
  Pass pass(state_->selection, state_->subscriptions, state_->event_id, state_->integrations,
            *batch, "", false);
  const Position position{1, 0};
  if (!pass.read(event, position)) return batch;
  for (std::uint32_t i = 0; i < state_->subscriptions.size(); ++i) {
    if (pass.wants(i, position)) pass.deliver(i, event, position);
  }
  return batch;
}

std::shared_ptr<Batch> Plan::process(const Chunk& chunk) const {
  auto batch = std::make_shared<Batch>();
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, state_->integrations, *batch,
            chunk.source(), chunk.has_place());
  pass.each(chunk, [&](const Line& line) {
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      if (pass.wants(i, line.position)) pass.deliver(i, line.text, line.position);
    }
  });
  return batch;
}

std::shared_ptr<Chosen> Plan::select(const Chunk& chunk) const {
  auto chosen = std::make_shared<Chosen>();
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, state_->integrations, chosen->batch,
            chunk.source(), chunk.has_place());
  std::vector<std::uint32_t> wanted;
  pass.each(chunk, [&](const Line& line) {
    wanted.clear();
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      if (pass.wants(i, line.position)) wanted.push_back(i);
    }
    choose(pass, *chosen, line.text, line.position, wanted);
  });
  return chosen;
}

std::shared_ptr<Chosen> Plan::recall(std::string source,
                                     const std::vector<Recalled>& events) const {
  auto chosen = std::make_shared<Chosen>();
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, state_->integrations, chosen->batch,
            std::move(source), true);
  for (const Recalled& event : events) {
    for (const std::uint32_t subscription : event.subscriptions) {
      if (subscription >= subscriptions.size()) {
        throw std::out_of_range("the plan has no subscription " + std::to_string(subscription));
      }
    }
    pass.recall(event.event_id);
    choose(pass, *chosen, event.text, event.position, event.subscriptions);
  }
  return chosen;
}

std::shared_ptr<Batch> Plan::render(const Chosen& chosen,
                                    const std::vector<Changed>& changed) const {
  if (changed.size() != chosen.events.size()) {
    throw std::invalid_argument("one result for each chosen event, in order");
  }
  auto batch = std::make_shared<Batch>(chosen.batch);
  Pass pass(state_->selection, state_->subscriptions, state_->event_id, state_->integrations,
            *batch, chosen.batch.source, true);
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const Selected& event = chosen.events[i];
    if (changed[i].kind != Changed::Kind::event) {
      for (const std::uint32_t subscription : event.subscriptions) {
        pass.end(event.position, subscription, event.event_id,
                 changed[i].kind == Changed::Kind::invalid, changed[i].code, changed[i].message);
      }
      continue;
    }
    if (!pass.reread(changed[i].text, event.position, event.event_id, event.subscriptions))
      continue;
    for (const std::uint32_t subscription : event.subscriptions) {
      pass.map(subscription, event.position);
    }
  }
  return batch;
}

std::shared_ptr<Profile> Plan::profile(const Chunk& chunk, bool mapped) const {
  auto profile = std::make_shared<Profile>(state_->inventory);
  Batch batch;
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, state_->integrations, batch,
            chunk.source(), chunk.has_place());
  std::uint64_t events = 0;
  pass.each(chunk, [&](const Line& line) {
    ++events;
    profile->see(pass.slots(), line.text);
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      if (!pass.wants(i, line.position)) {
        if (mapped && !pass.changes(i)) profile->see_otherwise(i, pass.slots(), line.text);
        continue;
      }
      profile->take(i);
      std::string_view text = line.text;
      if (!mapped) continue;
      if (const Slots* slots = pass.read_changed(i, text, line.position)) {
        profile->see_mapped(i, *slots, text);
      }
    }
  });
  profile->received(batch.received, events, batch.by_place);
  return profile;
}

void Plan::profile_changed(const Chosen& chosen, const std::vector<Changed>& changed,
                           Profile& profile) const {
  if (changed.size() != chosen.events.size()) {
    throw std::invalid_argument("one result for each chosen event, in order");
  }
  Batch batch;
  Pass pass(state_->selection, state_->subscriptions, state_->event_id, state_->integrations, batch,
            chosen.batch.source, true);
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const Selected& event = chosen.events[i];
    if (changed[i].kind != Changed::Kind::event) continue;
    if (!pass.reread(changed[i].text, event.position, {}, event.subscriptions)) continue;
    for (const std::uint32_t subscription : event.subscriptions) {
      profile.see_mapped(subscription, pass.slots(), changed[i].text);
    }
  }
}

}  // namespace fieldpost
