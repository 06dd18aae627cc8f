// All that a plan looks for in events, as rows to count by: paths, conditions, compared values.
//
// Points into the filters and mappings that it was made from and lives no longer than they do.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fieldpost/filter.h"
#include "fieldpost/mapping.h"
#include "filter/ast.h"
#include "mapping/path_uses.h"

namespace fieldpost {

constexpr std::int32_t kEveryEvent = -1;  // in place of a subscription

// How the place takes what the path finds; the last three are of filters.
enum class Wanted : std::uint8_t { value, text, list, number, string, truth };

struct PathRow {
  std::int32_t subscription = kEveryEvent;
  std::string place;  // in the document; of a filter, characters `begin` to `end` of its text
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string path;  // as it is written, from what "$." means there
  bool is_filters = false;
  bool is_of_items = false;  // counted for each item of a list, not for each event
  bool starts_at_event = true;
  // From the event to the value, none for each item of a list; where it starts at the event.
  std::vector<std::optional<std::string>> keys;
  Wanted wanted = Wanted::value;
};

// Something with a value that a filter compares.
struct TermRow {
  std::int32_t subscription = kEveryEvent;
  const Term* term = nullptr;
  std::string text;
};

// A condition; of "=", "!=" and "in" one row for each value that is compared.
struct ValueRow {
  std::int32_t subscription = kEveryEvent;
  std::string place;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
  std::uint32_t term = kNoTerm;      // of terms
  const Literal* literal = nullptr;  // null: the condition as a whole is counted
  const FilterNode* condition = nullptr;
  bool is_negated = false;  // by "!" or "!=": an event that has it is not let through

  static constexpr std::uint32_t kNoTerm = UINT32_MAX;
};

struct FilterPath {
  const Term* term;
  std::uint32_t row;  // of paths
};

// The paths of one document, from `first` on in paths.
struct MappedPaths {
  std::shared_ptr<const PathUses> uses;
  std::uint32_t first;
  std::vector<std::vector<std::uint32_t>> uses_of;    // by scope
  std::vector<std::vector<std::uint32_t>> scopes_in;  // by scope: those found in it
};

struct Inventory {
  std::vector<PathRow> paths;
  std::vector<TermRow> terms;
  std::vector<ValueRow> values;
  std::vector<FilterPath> filter_paths;
  std::vector<MappedPaths> of_events;                      // asked of every event
  std::vector<std::vector<MappedPaths>> of_subscriptions;  // of those that the filter takes

  void add_filter(std::int32_t subscription, const Filter& filter, const Selection& selection);
  // kEveryEvent: what is asked of every event. of_subscriptions has to have room for the others.
  void add_mapping(std::int32_t subscription, const Mapping& mapping);
};

}  // namespace fieldpost
