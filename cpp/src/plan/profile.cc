#include "fieldpost/profile.h"

#include <array>
#include <utility>
#include <vector>

#include "base/number.h"
#include "base/text.h"
#include "event/selection.h"
#include "filter/evaluator.h"
#include "mapping/node.h"
#include "plan/inventory.h"
#include "plan/names.h"
#include "plan/value_counts.h"

namespace fieldpost {
namespace {

std::string text_of_number(const Datum& number) {
  if (number.digits.empty()) return number_text(number.number);
  std::string text;
  append_exact_number_text(number.digits, text);
  return text;
}

// Events with a missing path whose names are kept, of each chunk: one that is missing everywhere is
// missing in them.
constexpr std::size_t kNamedEvents = 64;
constexpr std::size_t kKinds = 7;

using Counts = std::array<std::uint64_t, kKinds>;  // by Value::Kind

Value::Kind kind_of(const Datum& datum) {
  switch (datum.kind) {
    case Datum::Kind::boolean:
      return Value::Kind::boolean;
    case Datum::Kind::number:
      return Value::Kind::number;
    case Datum::Kind::string:
      return Value::Kind::string;
    case Datum::Kind::list:
      return Value::Kind::array;
    case Datum::Kind::object:
      return Value::Kind::object;
    default:
      return Value::Kind::null;
  }
}

// The names of the events that lack something.
struct NamesOfSome {
  Names names;
  std::size_t events = 0;

  void add(std::string_view text) {
    if (events == kNamedEvents) return;
    ++events;
    names.add(Value(text));
  }
};

// One document's paths, counted for one event.
class Count {
 public:
  Count(const MappedPaths& mapped, std::vector<Counts>& counts)
      : mapped_(mapped), uses_(*mapped.uses), counts_(counts) {}

  // True where the event lacks one of them.
  bool lacks_some(const Slots& slots) {
    in_scope(0, Scope(slots.event()));
    return lacks_some_;
  }

 private:
  void in_scope(std::uint32_t number, const Scope& scope) {
    for (const std::uint32_t use : mapped_.uses_of[number]) {
      scratch_.clear();
      const Value::Kind kind = scope.find(uses_.uses[use].reach, scratch_).kind();
      ++counts_[mapped_.first + use][static_cast<std::size_t>(kind)];
      lacks_some_ = lacks_some_ || kind == Value::Kind::undefined;
    }
    for (const std::uint32_t below : mapped_.scopes_in[number]) {
      const UseScope& inside = uses_.scopes[below];
      const bool are_rows =
          inside.items != nullptr && scope.row() && scope.row()->has_items(inside.list.slot);
      if (are_rows) {
        in_rows(below, *scope.row(), scope);
      } else {
        in_values(below, scope);
      }
    }
  }

  void in_rows(std::uint32_t number, const Row& row, const Scope& scope) {
    const UseScope& inside = uses_.scopes[number];
    const std::uint32_t items = row.items(inside.list.slot);
    for (std::uint32_t i = 0; i < items; ++i) {
      in_scope(number, scope.at(row.item(*inside.items, inside.list.slot, i)));
    }
  }

  void in_values(std::uint32_t number, const Scope& scope) {
    const UseScope& inside = uses_.scopes[number];
    std::string scratch;
    std::string settled;
    Value found;
    if (inside.computed == nullptr) {
      found = scope.find(inside.list, scratch);
    } else {
      try {
        found = inside.computed->value(scope, scratch);
      } catch (const EventFault&) {
        return;  // the event is invalid here, which is counted elsewhere
      }
    }
    if (inside.kind == UseScope::Kind::value || found.kind() == Value::Kind::object) {
      found.append_json(settled, Gaps::kept);
      in_scope(number, scope.at(Value(settled)));
    } else if (found.kind() == Value::Kind::array) {
      Value item;
      for (Elements items(found); items.next(item);) in_scope(number, scope.at(item));
    }
  }

  const MappedPaths& mapped_;
  const PathUses& uses_;
  std::vector<Counts>& counts_;
  std::string scratch_;
  bool lacks_some_ = false;
};

// JSON that is put together from names and numbers.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out) : out_(out) { out_ += '{'; }
  JsonMembers(const JsonMembers&) = delete;
  JsonMembers& operator=(const JsonMembers&) = delete;
  ~JsonMembers() { out_ += '}'; }

  std::string& operator[](const char* name) {
    if (!std::exchange(first_, false)) out_ += ',';
    append_json_string(name, out_);
    out_ += ':';
    return out_;
  }
  void number(const char* name, std::uint64_t value) { (*this)[name] += std::to_string(value); }
  void text(const char* name, std::string_view value) { append_json_string(value, (*this)[name]); }
  void truth(const char* name, bool value) { (*this)[name] += value ? "true" : "false"; }

 private:
  std::string& out_;
  bool first_ = true;
};

template <typename Rows, typename Append>
void append_list(const Rows& rows, std::string& out, Append append) {
  out += '[';
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i > 0) out += ',';
    append(rows[i], i);
  }
  out += ']';
}

void put_place(JsonMembers& row, std::int32_t subscription, const std::string& place,
               std::size_t begin, std::size_t end) {
  std::string& out = row["subscription"];
  out += subscription == kEveryEvent ? "null" : std::to_string(subscription);
  row.text("place", place);
  row.number("begin", begin);
  row.number("end", end);
}

const char* wanted_name(Wanted wanted) {
  constexpr const char* kNames[] = {"value", "text", "list", "number", "string", "truth"};
  return kNames[static_cast<std::size_t>(wanted)];
}

}  // namespace

struct Profile::State {
  struct Taken {
    std::uint64_t taken = 0;   // by the filter
    std::uint64_t mapped = 0;  // of them, those that came to the mapping
  };

  std::shared_ptr<const Inventory> inventory;
  std::uint64_t received = 0;
  std::uint64_t events = 0;
  std::uint64_t by_place = 0;
  std::vector<Taken> subscriptions;
  std::vector<Counts> paths;
  std::vector<Counts> otherwise;  // the paths of subscriptions that took none, over all events
  std::vector<ValueCounts> terms;
  std::vector<std::uint64_t> values;
  std::vector<NamesOfSome> names;  // of all events, by subscription, of what each did not take
  Texts texts;
  std::vector<Datum> data;  // of the terms, for one event

  explicit State(std::shared_ptr<const Inventory> counted)
      : inventory(std::move(counted)),
        subscriptions(inventory->of_subscriptions.size()),
        paths(inventory->paths.size()),
        otherwise(paths.size()),
        terms(inventory->terms.size()),
        values(inventory->values.size()),
        names(2 * subscriptions.size() + 1),
        data(terms.size()) {
    for (const ValueRow& row : inventory->values) {
      if (is_text(row)) terms[row.term].ask(Value::Kind::string, row.literal->text);
    }
  }

  void count_mapped(std::uint32_t subscription, const Slots& slots, std::string_view text,
                    std::vector<Counts>& counts, NamesOfSome& some) const {
    bool lacks_some = false;
    for (const MappedPaths& mapped : inventory->of_subscriptions[subscription]) {
      lacks_some = Count(mapped, counts).lacks_some(slots) || lacks_some;
    }
    if (lacks_some) some.add(text);
  }

  // True where one is missing.
  bool count_filter_paths(const Slots& slots) {
    bool lacks_some = false;
    for (const FilterPath& one : inventory->filter_paths) {
      const Value::Kind kind = read(*one.term, slots, texts).kind();
      ++paths[one.row][static_cast<std::size_t>(kind)];
      lacks_some = lacks_some || kind == Value::Kind::undefined;
    }
    return lacks_some;
  }

  void count_terms(const Slots& slots) {
    for (std::size_t i = 0; i < terms.size(); ++i) {
      const Term& term = *inventory->terms[i].term;
      data[i] = evaluate(term, slots, texts);
      const Datum& found = data[i];
      if (found.kind == Datum::Kind::string) {
        terms[i].add(Value::Kind::string, found.text);
      } else if (term.kind == Term::Kind::path) {
        const Value value = read(term, slots, texts);
        const bool is_scalar = value.kind() <= Value::Kind::number && !value.is_undefined();
        terms[i].add(value.kind(), is_scalar ? value.token() : std::string_view());
      } else {
        const bool is_number = found.kind == Datum::Kind::number;
        const std::string text = is_number                            ? text_of_number(found)
                                 : found.kind != Datum::Kind::boolean ? ""
                                 : found.truth                        ? "true"
                                                                      : "false";
        terms[i].add(kind_of(found), text);
      }
    }
  }

  // Texts are counted with the values of their field: however long a list of them is.
  static bool is_text(const ValueRow& row) {
    return row.literal != nullptr && row.literal->kind == Literal::Kind::string;
  }

  std::uint64_t count_of(std::size_t value) const {
    const ValueRow& row = inventory->values[value];
    if (!is_text(row)) return values[value];
    return terms[row.term].count(Value::Kind::string, row.literal->text);
  }

  void count_values(const Slots& slots) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const ValueRow& row = inventory->values[i];
      if (is_text(row)) continue;
      const bool occurs = row.literal != nullptr ? compare(data[row.term], Operator::equal,
                                                           datum_of(*row.literal, Numbers::digits))
                                                 : holds(*row.condition, slots, texts);
      if (occurs) ++values[i];
    }
  }

  void append_path(const PathRow& row, const Counts& counts, const Counts& others,
                   std::string& out) const {
    JsonMembers members(out);
    put_place(members, row.subscription, row.place, row.begin, row.end);
    members.text("path", row.path);
    members.truth("filter", row.is_filters);
    members.truth("items", row.is_of_items);
    members.text("wanted", wanted_name(row.wanted));
    if (row.starts_at_event) {
      append_list(row.keys, members["keys"], [&](const auto& key, std::size_t) {
        if (key) {
          append_json_string(*key, out);
        } else {
          out += "null";
        }
      });
    } else {
      members["keys"] += "null";
    }
    append_counts(counts, members["counts"]);
    const bool took_none = !row.is_filters && row.subscription != kEveryEvent &&
                           subscriptions[static_cast<std::size_t>(row.subscription)].taken == 0;
    if (took_none) {
      append_counts(others, members["otherwise"]);
    } else {
      members["otherwise"] += "null";
    }
  }

  // Names of what a subscription did not take, which took something in the end.
  bool is_of_no_use(std::size_t of_names) const {
    const std::size_t first = subscriptions.size() + 1;
    return of_names >= first && subscriptions[of_names - first].taken > 0;
  }

  static void append_counts(const Counts& counts, std::string& out) {
    JsonMembers by_kind(out);
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      by_kind.number(kind_name(static_cast<Value::Kind>(kind)), counts[kind]);
    }
  }

  void append_term(const TermRow& row, const ValueCounts& counts, std::string& out) const {
    JsonMembers members(out);
    members.text("text", row.text);
    append_list(counts.rows(), members["values"], [&](const ValueCounts::Row& one, std::size_t) {
      out += '[';
      append_json_string(kind_name(one.kind), out);
      out += ',';
      append_json_string(one.text, out);
      out += ',' + std::to_string(one.count) + ']';
    });
    members.number("others", counts.others());
  }

  static void append_value(const ValueRow& row, std::uint64_t count, std::string& out) {
    JsonMembers members(out);
    put_place(members, row.subscription, row.place, row.begin, row.end);
    members.text("text", row.text);
    const bool has_term = row.term != ValueRow::kNoTerm;
    members["term"] += has_term ? std::to_string(row.term) : "null";
    if (row.literal != nullptr) {
      members.text("type", kind_name(kind_of(datum_of(*row.literal, Numbers::digits))));
      members.text("literal",
                   row.literal->kind == Literal::Kind::string ? row.literal->text : row.text);
    } else {
      members["type"] += "null";
      members["literal"] += "null";
    }
    members.truth("negated", row.is_negated);
    members.number("count", count);
  }
};

Profile::Profile(std::shared_ptr<const Inventory> inventory)
    : state_(std::make_unique<State>(std::move(inventory))) {}
Profile::~Profile() = default;

void Profile::see(const Slots& slots, std::string_view text) {
  State& state = *state_;
  state.texts.clear();
  bool lacks_some = state.count_filter_paths(slots);
  state.count_terms(slots);
  state.count_values(slots);
  for (const MappedPaths& mapped : state.inventory->of_events) {
    lacks_some = Count(mapped, state.paths).lacks_some(slots) || lacks_some;
  }
  if (lacks_some) state.names[0].add(text);
}

void Profile::take(std::uint32_t subscription) { ++state_->subscriptions[subscription].taken; }

void Profile::see_mapped(std::uint32_t subscription, const Slots& slots, std::string_view text) {
  State& state = *state_;
  ++state.subscriptions[subscription].mapped;
  state.count_mapped(subscription, slots, text, state.paths, state.names[subscription + 1]);
}

void Profile::see_otherwise(std::uint32_t subscription, const Slots& slots, std::string_view text) {
  State& state = *state_;
  if (state.subscriptions[subscription].taken > 0) return;
  state.count_mapped(subscription, slots, text, state.otherwise,
                     state.names[state.subscriptions.size() + subscription + 1]);
}

void Profile::received(std::uint64_t lines, std::uint64_t events, std::uint64_t by_place) {
  state_->received += lines;
  state_->events += events;
  state_->by_place += by_place;
}

void Profile::merge(const Profile& later) {
  State& to = *state_;
  const State& from = *later.state_;
  received(from.received, from.events, from.by_place);
  for (std::size_t i = 0; i < to.subscriptions.size(); ++i) {
    to.subscriptions[i].taken += from.subscriptions[i].taken;
    to.subscriptions[i].mapped += from.subscriptions[i].mapped;
  }
  for (std::size_t i = 0; i < to.paths.size(); ++i) {
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      to.paths[i][kind] += from.paths[i][kind];
      to.otherwise[i][kind] += from.otherwise[i][kind];
    }
  }
  for (std::size_t i = 0; i < to.terms.size(); ++i) to.terms[i].merge(from.terms[i]);
  for (std::size_t i = 0; i < to.values.size(); ++i) to.values[i] += from.values[i];
  for (std::size_t i = 0; i < to.names.size(); ++i) to.names[i].names.merge(from.names[i].names);
}

std::string Profile::json() const {
  const State& state = *state_;
  const Inventory& rows = *state.inventory;
  std::string out;
  {
    JsonMembers members(out);
    members.number("received", state.received);
    members.number("events", state.events);
    members.number("by_place", state.by_place);
    append_list(state.subscriptions, members["subscriptions"], [&](const auto& one, std::size_t) {
      JsonMembers counts(out);
      counts.number("taken", one.taken);
      counts.number("mapped", one.mapped);
    });
    append_list(rows.paths, members["paths"], [&](const PathRow& row, std::size_t i) {
      state.append_path(row, state.paths[i], state.otherwise[i], out);
    });
    append_list(rows.terms, members["terms"], [&](const TermRow& row, std::size_t i) {
      state.append_term(row, state.terms[i], out);
    });
    append_list(rows.values, members["values"], [&](const ValueRow& row, std::size_t i) {
      State::append_value(row, state.count_of(i), out);
    });
    append_list(state.names, members["names"], [&](const NamesOfSome& one, std::size_t i) {
      const Names none;
      (state.is_of_no_use(i) ? none : one.names).append_json(out);
    });
  }
  return out;
}

}  // namespace fieldpost
