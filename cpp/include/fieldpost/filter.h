// A compiled query: event -> yes or no. Immutable; share it between threads.
//
// `Filter` is the part of a plan: it reads slots that somebody else fills. `EventFilter` is a
// filter on its own: it takes the text of events.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fieldpost {

class Selection;
class Slots;
class Texts;
struct FilterNode;

// Whose reading of the text: ours, or one of Segment's two (docs/compatibility.md). All give the
// same tree; what a dialect would read otherwise than it is written is refused.
enum class Dialect : std::uint8_t { fieldpost, trigger, destination };

// "fieldpost", "trigger" or "destination". Throws DocumentError for another name.
Dialect dialect_named(std::string_view name);

class Filter {
 public:
  // Adds the paths it reads to `selection`. Throws DocumentError with spans into `text`.
  Filter(std::string_view text, Selection& selection, Dialect dialect = Dialect::fieldpost);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  bool matches(const Slots& slots) const;
  // `texts` is room for computed texts, kept from event to event; one thread's own.
  bool matches(const Slots& slots, Texts& texts) const;

  // JSON: {"kind", "begin", "end", "verdict", "children": […]}, or of a condition "seen":
  // {path: value} and "lacks": [path] of the paths that the event does not have. Nothing is left
  // out because the verdict is already clear. Spans are characters.
  std::string explain(const Slots& slots) const;

  const std::string& text() const { return text_; }
  // Lives as long as the filter, or the one that it is moved to.
  const FilterNode& tree() const { return *root_; }

 private:
  std::string text_;
  std::unique_ptr<FilterNode> root_;
};

// What a filter says of a text that should be an event.
struct Answer {
  enum class Verdict : std::uint8_t { no, yes, invalid };
  Verdict verdict = Verdict::no;
  const char* code = "";  // of an invalid one: why it is no event
  const char* message = "";
  std::size_t offset = 0;   // bytes into the event
  std::string explanation;  // see Filter::explain; only where it was asked for
};

class EventFilter {
 public:
  explicit EventFilter(std::string_view text, Dialect dialect = Dialect::fieldpost);
  ~EventFilter();

  Answer matches(std::string_view event) const;
  Answer explain(std::string_view event) const;
  // One byte for each line: 0 no, 1 yes, 2 not an event. A blank line is no event to match: 0.
  // A newline at the end does not begin another line.
  std::string matches_lines(std::string_view ndjson) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost
