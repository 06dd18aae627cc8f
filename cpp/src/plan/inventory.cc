#include "plan/inventory.h"

#include <algorithm>

#include "event/selection.h"
#include "filter/explain.h"
#include "filter/functions.h"

namespace fieldpost {
namespace {

bool is_order(Operator op) { return op >= Operator::less && op <= Operator::greater_equal; }

bool compares_equal(Operator op) {
  return op == Operator::equal || op == Operator::not_equal || op == Operator::other_number;
}

// One filter's conditions as rows.
class FilterRows {
 public:
  FilterRows(Inventory& inventory, std::int32_t subscription, const Filter& filter,
             const Selection& selection)
      : inventory_(inventory),
        subscription_(subscription),
        text_(filter.text()),
        selection_(selection),
        place_("$.subscriptions[" + std::to_string(subscription) + "].filter") {}

  void add(const FilterNode& node) {
    const bool negates = node.kind == FilterNode::Kind::negation;
    is_negated_ ^= negates;
    for (const auto& child : node.children) add(*child);
    is_negated_ ^= negates;
    if (node.kind == FilterNode::Kind::truth) {
      add_paths(node.left, Wanted::truth);
      add_condition(node);
    } else if (node.kind == FilterNode::Kind::comparison) {
      const Wanted wanted = is_order(node.op) ? Wanted::number : Wanted::value;
      add_paths(node.left, wanted);
      add_paths(node.right, wanted);
      add_values(node);
    }
  }

 private:
  std::string written(const Term& term) const {
    return text_.substr(term.begin, term.end - term.begin);
  }

  void add_paths(const Term& term, Wanted wanted) {
    if (term.kind == Term::Kind::path) return add_path(term, wanted);
    const bool takes_texts = term.kind == Term::Kind::call && term.function->takes_texts &&
                             term.function->function != Function::length;
    for (const Term& item : term.items) {
      add_paths(item, takes_texts ? Wanted::string : Wanted::value);
    }
  }

  void add_path(const Term& term, Wanted wanted) {
    PathRow row;
    row.subscription = subscription_;
    row.place = place_;
    row.begin = characters(text_, term.begin);
    row.end = characters(text_, term.end);
    row.path = written(term);
    row.is_filters = true;
    row.wanted = wanted;
    for (const std::string& key : selection_.path(term.slot)) row.keys.emplace_back(key);
    const auto is_same = [&](const PathRow& known) {
      return known.subscription == subscription_ && known.is_filters && known.path == row.path &&
             known.wanted == wanted;
    };
    if (std::any_of(inventory_.paths.begin(), inventory_.paths.end(), is_same)) return;
    const auto number = static_cast<std::uint32_t>(inventory_.paths.size());
    inventory_.filter_paths.push_back({&term, number});
    inventory_.paths.push_back(std::move(row));
  }

  void add_values(const FilterNode& node) {
    if (node.op == Operator::in && node.right.kind == Term::Kind::list) {
      for (const Term& item : node.right.items) add_value(node, node.left, item);
    } else if (compares_equal(node.op) && node.right.kind == Term::Kind::literal) {
      add_value(node, node.left, node.right);
    } else if (compares_equal(node.op) && node.left.kind == Term::Kind::literal) {
      add_value(node, node.right, node.left);
    } else {
      add_condition(node);
    }
  }

  void add_value(const FilterNode& node, const Term& term, const Term& value) {
    if (value.kind != Term::Kind::literal || term.kind == Term::Kind::literal) return;
    ValueRow row = row_of(node, value.begin, value.end);
    row.term = term_row(term);
    row.literal = &value.literal;
    row.is_negated ^= node.op == Operator::not_equal || node.op == Operator::other_number;
    inventory_.values.push_back(std::move(row));
  }

  // Counted as a whole; the values are those of the first path in it.
  void add_condition(const FilterNode& node) {
    ValueRow row = row_of(node, node.begin, node.end);
    if (const Term* path = first_path(node.left)) {
      row.term = term_row(*path);
    } else if (const Term* other = first_path(node.right)) {
      row.term = term_row(*other);
    }
    inventory_.values.push_back(std::move(row));
  }

  ValueRow row_of(const FilterNode& node, std::size_t begin, std::size_t end) const {
    ValueRow row;
    row.subscription = subscription_;
    row.place = place_;
    row.begin = characters(text_, begin);
    row.end = characters(text_, end);
    row.text = text_.substr(begin, end - begin);
    row.condition = &node;
    row.is_negated = is_negated_;
    return row;
  }

  static const Term* first_path(const Term& term) {
    if (term.kind == Term::Kind::path) return &term;
    for (const Term& item : term.items) {
      if (const Term* path = first_path(item)) return path;
    }
    return nullptr;
  }

  // Fields that several filters compare are counted once.
  std::uint32_t term_row(const Term& term) {
    const auto same = [&](const TermRow& row) {
      if (row.term == &term) return true;
      return row.term->kind == Term::Kind::path && term.kind == Term::Kind::path &&
             row.term->slot == term.slot && row.term->parent == term.parent;
    };
    std::vector<TermRow>& rows = inventory_.terms;
    const auto known = std::find_if(rows.begin(), rows.end(), same);
    if (known != rows.end()) return static_cast<std::uint32_t>(known - rows.begin());
    rows.push_back({subscription_, &term, written(term)});
    return static_cast<std::uint32_t>(rows.size() - 1);
  }

  Inventory& inventory_;
  std::int32_t subscription_;
  const std::string& text_;
  const Selection& selection_;
  std::string place_;
  bool is_negated_ = false;  // what is being added
};

// The keys from the event to a scope's "$."; false where a computed value stands between.
bool append_keys(const PathUses& uses, std::uint32_t scope,
                 std::vector<std::optional<std::string>>& keys) {
  const UseScope& one = uses.scopes[scope];
  if (one.kind == UseScope::Kind::event) return true;
  if (one.computed != nullptr || !append_keys(uses, one.parent, keys)) return false;
  for (const std::string& key : one.list.path) keys.emplace_back(key);
  keys.emplace_back(std::nullopt);
  return true;
}

Wanted wanted_of(Taken taken) {
  switch (taken) {
    case Taken::as_text:
      return Wanted::text;
    case Taken::as_list:
      return Wanted::list;
    default:
      return Wanted::value;
  }
}

PathRow row_of(std::int32_t subscription, const PathUses& uses, const PathUse& use) {
  PathRow row;
  row.subscription = subscription;
  row.place = use.place;
  row.path = "$" + path_text(use.reach.path);
  row.is_of_items = uses.scopes[use.scope].kind == UseScope::Kind::items;
  row.wanted = wanted_of(use.taken);
  row.starts_at_event = append_keys(uses, use.scope, row.keys);
  for (const std::string& key : use.reach.path) row.keys.emplace_back(key);
  return row;
}

}  // namespace

void Inventory::add_filter(std::int32_t subscription, const Filter& filter,
                           const Selection& selection) {
  FilterRows(*this, subscription, filter, selection).add(filter.tree());
}

void Inventory::add_mapping(std::int32_t subscription, const Mapping& mapping) {
  MappedPaths mapped{mapping.uses(), static_cast<std::uint32_t>(paths.size()), {}, {}};
  const PathUses& uses = *mapped.uses;
  mapped.uses_of.resize(uses.scopes.size());
  mapped.scopes_in.resize(uses.scopes.size());
  for (std::uint32_t i = 0; i < uses.uses.size(); ++i) {
    paths.push_back(row_of(subscription, uses, uses.uses[i]));
    mapped.uses_of[uses.uses[i].scope].push_back(i);
  }
  for (std::uint32_t i = 1; i < uses.scopes.size(); ++i) {
    mapped.scopes_in[uses.scopes[i].parent].push_back(i);
  }
  if (uses.uses.empty()) return;
  auto& place = subscription == kEveryEvent
                    ? of_events
                    : of_subscriptions[static_cast<std::size_t>(subscription)];
  place.push_back(std::move(mapped));
}

}  // namespace fieldpost
