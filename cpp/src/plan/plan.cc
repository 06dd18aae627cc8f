#include "fieldpost/plan.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "base/text.h"
#include "base/uuid.h"
#include "event/lines.h"
#include "event/selection.h"
#include "event/walker.h"
#include "fieldpost/error.h"
#include "fieldpost/filter.h"
#include "fieldpost/mapping.h"

namespace fieldpost {
namespace {

struct Subscription {
  Filter filter;
  std::optional<Mapping> body;  // none: the request has no body
  bool body_required;
  std::optional<Mapping> url;
  std::optional<Mapping> headers;
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

  explicit State(const Json& document) {
    Documents documents;
    if (!document.contains("event_id") || document.at("event_id") != "content") {
      const Json fallback = {{"@path", "$.messageId"}};
      const Json& text = document.contains("event_id") ? document.at("event_id") : fallback;
      event_id =
          documents.compile("$.event_id", [&] { return Mapping(text, selection, "$.event_id"); });
    }
    const Json& listed = document.at("subscriptions");
    for (std::size_t i = 0; i < listed.size(); ++i) {
      add(documents, listed[i], "$.subscriptions[" + std::to_string(i) + "]");
    }
    documents.finish();
  }

  void add(Documents& documents, const Json& document, const std::string& path) {
    const std::string filter_text = document.value("filter", std::string("all"));
    auto filter = documents.compile(path + ".filter", [&] {
      const std::string dialect = document.value("dialect", std::string("fieldpost"));
      return Filter(filter_text, selection, dialect_named(dialect));
    });
    const auto mapping = [&](const char* key) -> std::optional<Mapping> {
      if (!document.contains(key) || document.at(key).is_null()) return std::nullopt;
      const std::string at = path + "." + key;
      return documents.compile(at, [&] { return Mapping(document.at(key), selection, at); });
    };
    std::optional<Mapping> body = mapping("body");
    std::optional<Mapping> url;
    if (document.contains("url") && !document.at("url").is_null()) {
      const std::string at = path + ".url";
      url = documents.compile(at, [&] { return Mapping::url(document.at("url"), selection, at); });
    }
    std::optional<Mapping> headers = mapping("headers");
    if (!body && !document.contains("body")) body = Mapping(Json{{"@path", "$."}}, selection);
    if (!filter) return;
    const bool required = document.value("body_required", true);
    subscriptions.push_back(
        {std::move(*filter), std::move(body), required, std::move(url), std::move(headers)});
  }
};

namespace {

// One thread's way through a chunk.
class Pass {
 public:
  Pass(const Selection& selection, const std::vector<Subscription>& subscriptions,
       const std::optional<Mapping>& event_id, Batch& batch, std::string source, bool has_place)
      : selection_(selection),
        subscriptions_(subscriptions),
        event_id_(event_id),
        batch_(batch),
        has_place_(has_place),
        slots_(selection) {
    batch_.source = std::move(source);
    batch_.filtered.resize(subscriptions.size());
  }

  // Slots are filled and the identity is known, or the line has ended as invalid (false).
  bool read(std::string_view line, Position position) {
    ++batch_.received;
    const LineFault fault = walker_.walk(line, selection_, slots_);
    if (fault) {
      const Span id = batch_.keep(place_or_content(line, position));
      std::string message =
          std::string(fault.message) + " (byte " + std::to_string(fault.offset) + " of the line)";
      end_all(position, id, fault.code, message);
      return false;
    }
    const std::string identity = identify(line, position);
    if (identity.empty()) {
      const Span id = batch_.keep("content:" + uuid5(kFieldpostNamespace, line));
      end_all(position, id, "E404", "event_id gives nothing for this event");
      return false;
    }
    identity_hash_ = hash64(identity);
    event_id_span_ = batch_.keep(identity);
    return true;
  }

  bool wants(std::uint32_t subscription) {
    if (subscriptions_[subscription].filter.matches(slots_)) return true;
    batch_.filtered[subscription].hashes.push_back(identity_hash_);
    return false;
  }

  // `line` became the event to map (after a function); its identity stays the original's.
  bool reread(std::string_view line, Position position, Span event_id,
              const std::vector<std::uint32_t>& wanted) {
    event_id_span_ = event_id;
    const LineFault fault = walker_.walk(line, selection_, slots_);
    if (!fault) return true;
    for (const std::uint32_t subscription : wanted) {
      end(position, subscription, event_id, true, "E412",
          "the function's result is no event: " + std::string(fault.message));
    }
    return false;
  }

  void map(std::uint32_t index, Position position) {
    const Subscription& subscription = subscriptions_[index];
    Record record;
    record.position = position;
    record.subscription = index;
    record.event_id = event_id_span_;
    record.hash = hash64(batch_.text(event_id_span_));
    const std::size_t before = batch_.arena.size();
    try {
      if (subscription.body) record.body = render(*subscription.body);
      if (record.body.size == 0 && subscription.body_required) {
        throw EventFault{"E403", "the body is undefined for this event"};
      }
      if (subscription.url) record.url = text_of(*subscription.url);
      if (subscription.headers) record.headers = render(*subscription.headers);
    } catch (const EventFault& fault) {
      batch_.arena.resize(before);
      end(position, index, event_id_span_, true, fault.code, fault.message);
      return;
    }
    batch_.records.push_back(record);
  }

  void end(Position position, std::uint32_t subscription, Span event_id, bool invalid,
           std::string code, std::string message) {
    batch_.ended.push_back({position, subscription, event_id, hash64(batch_.text(event_id)),
                            invalid, std::move(code), std::move(message)});
  }

  Span event_id() const { return event_id_span_; }

 private:
  Span render(const Mapping& mapping) {
    const std::size_t begin = batch_.arena.size();
    mapping.render(slots_, batch_.arena);
    return {begin, batch_.arena.size() - begin};
  }

  // A url is text, so its JSON string is opened.
  Span text_of(const Mapping& mapping) {
    std::string json;
    mapping.render(slots_, json);
    const Value value(json);
    if (value.kind() != Value::Kind::string || json.size() == 2) {
      throw EventFault{"E408", "the url is not a text for this event"};
    }
    return batch_.keep(value.string());
  }

  void end_all(Position position, Span id, const std::string& code, const std::string& message) {
    for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
      end(position, i, id, true, code, message);
    }
  }

  // What event_id gives: a text, or a number's digits as they stand. "" where it gives nothing.
  std::string given_identity() {
    std::string json;
    if (!event_id_->render(slots_, json)) return "";
    const Value value(json);
    if (value.kind() == Value::Kind::string) return value.string();
    return value.kind() == Value::Kind::number ? json : "";
  }

  std::string identify(std::string_view line, Position position) {
    if (!event_id_) return "content:" + uuid5(kFieldpostNamespace, line);
    std::string given;
    try {
      given = given_identity();
    } catch (const EventFault&) {
      given.clear();
    }
    if (!given.empty() || !has_place_) return given;
    return place_or_content(line, position);
  }

  std::string place_or_content(std::string_view line, Position position) const {
    const std::string content = uuid5(kFieldpostNamespace, line);
    if (!has_place_) return "content:" + content;
    return "line:" + batch_.source + ":" + std::to_string(position.line) + ":" + content;
  }

  const Selection& selection_;
  const std::vector<Subscription>& subscriptions_;
  const std::optional<Mapping>& event_id_;
  Batch& batch_;
  bool has_place_;
  Walker walker_;
  Slots slots_;
  std::uint64_t identity_hash_ = 0;
  Span event_id_span_;
};

}  // namespace

Plan::Plan(const Json& document) : state_(std::make_unique<State>(document)) {}
Plan::~Plan() = default;

std::shared_ptr<Batch> Plan::process_event(std::string_view event) const {
  auto batch = std::make_shared<Batch>();
  Pass pass(state_->selection, state_->subscriptions, state_->event_id, *batch, "", false);
  const Position position{1, 0};
  if (!pass.read(event, position)) return batch;
  for (std::uint32_t i = 0; i < state_->subscriptions.size(); ++i) {
    if (pass.wants(i)) pass.map(i, position);
  }
  return batch;
}

std::shared_ptr<Batch> Plan::process(const Chunk& chunk) const {
  auto batch = std::make_shared<Batch>();
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, *batch, chunk.source(),
            chunk.has_place());
  each_line(chunk.lines(), chunk.start(), [&](std::string_view line, Position position) {
    if (!pass.read(line, position)) return;
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      if (pass.wants(i)) pass.map(i, position);
    }
  });
  return batch;
}

std::shared_ptr<Chosen> Plan::select(const Chunk& chunk) const {
  auto chosen = std::make_shared<Chosen>();
  const auto& subscriptions = state_->subscriptions;
  Pass pass(state_->selection, subscriptions, state_->event_id, chosen->batch, chunk.source(),
            chunk.has_place());
  each_line(chunk.lines(), chunk.start(), [&](std::string_view line, Position position) {
    if (!pass.read(line, position)) return;
    Selected selected;
    for (std::uint32_t i = 0; i < subscriptions.size(); ++i) {
      if (pass.wants(i)) selected.subscriptions.push_back(i);
    }
    if (selected.subscriptions.empty()) return;
    selected.position = position;
    selected.event_id = pass.event_id();
    selected.text = chosen->batch.keep(line);
    chosen->events.push_back(std::move(selected));
  });
  return chosen;
}

std::shared_ptr<Batch> Plan::render(const Chosen& chosen,
                                    const std::vector<Changed>& changed) const {
  if (changed.size() != chosen.events.size()) {
    throw std::invalid_argument("one result for each chosen event, in order");
  }
  auto batch = std::make_shared<Batch>(chosen.batch);
  Pass pass(state_->selection, state_->subscriptions, state_->event_id, *batch, chosen.batch.source,
            true);
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

}  // namespace fieldpost
