#include "fieldpost/expression.h"

#include <mutex>
#include <utility>

#include "base/text.h"
#include "event/selection.h"
#include "event/walker.h"
#include "fieldpost/filter.h"
#include "fieldpost/mapping.h"
#include "filter/datum.h"
#include "mapping/writer.h"

namespace fieldpost {
namespace {

// What one call works with.
struct Workspace {
  explicit Workspace(const Selection& selection) : slots(selection) {}
  Walker walker;
  Slots slots;
  Texts texts;
};

// Workspaces that no call holds at the moment.
class Shelf {
 public:
  explicit Shelf(const Selection& selection) : selection_(selection) {}

  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>(selection_);
    auto workspace = std::move(free_.back());
    free_.pop_back();
    return workspace;
  }
  void give_back(std::unique_ptr<Workspace> workspace) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(workspace));
  }

 private:
  const Selection& selection_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

class Borrowed {
 public:
  explicit Borrowed(Shelf& shelf) : shelf_(shelf), workspace_(shelf.take()) {}
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { shelf_.give_back(std::move(workspace_)); }
  Workspace* operator->() const { return workspace_.get(); }
  Workspace& operator*() const { return *workspace_; }

 private:
  Shelf& shelf_;
  std::unique_ptr<Workspace> workspace_;
};

std::optional<Filter> make_filter(const std::optional<FilterText>& filter, Selection& selection) {
  if (!filter) return std::nullopt;
  const std::string& dialect = filter->dialect;
  return Filter(filter->text, selection,
                dialect.empty() ? Dialect::fieldpost : dialect_named(dialect));
}

std::string told(const LineFault& fault) {
  return std::string(fault.message) + " (byte " + std::to_string(fault.offset) + " of the line)";
}

}  // namespace

struct Expression::State {
  Selection selection;
  std::optional<Filter> filter;
  Mapping mapping;
  mutable Shelf shelf;

  State(const Json& document, const std::optional<FilterText>& text)
      : filter(make_filter(text, selection)),
        mapping(Mapping::whole(document, selection)),
        shelf(selection) {}

  // Of the event in the slots, if it has one.
  void put_body(Workspace& work, Position position, Lines& lines, Writer& text) const {
    if (filter && !filter->matches(work.slots, work.texts)) return;
    try {
      if (!mapping.render(work.slots, text)) return;
    } catch (EventFault& broken) {
      lines.invalid.push_back({position, std::move(broken.code), std::move(broken.message)});
      return;
    }
    text.put('\n');
    lines.line_numbers.push_back(position.line);
  }
};

Expression::Expression(const Json& mapping, const std::optional<FilterText>& filter)
    : state_(std::make_unique<State>(mapping, filter)) {}
Expression::~Expression() = default;

std::string Expression::apply(std::string_view event) const {
  const Borrowed work(state_->shelf);
  LineFault fault = work->walker.walk(event, state_->selection, work->slots);
  std::string escaped;
  if (fault && event.find('\xED') != std::string_view::npos) {
    // Lone surrogates may come as the bytes of their code point.
    append_surrogates_escaped(event, escaped);
    fault = work->walker.walk(escaped, state_->selection, work->slots);
  }
  if (fault) throw EventFault{fault.code, told(fault)};
  std::string body;
  if (state_->filter && !state_->filter->matches(work->slots, work->texts)) return body;
  state_->mapping.render(work->slots, body);
  return body;
}

std::string Expression::apply_if_fit(std::string_view event) const {
  try {
    return apply(event);
  } catch (const EventFault&) {
    return "";
  }
}

Lines Expression::apply_lines(std::string_view text) const {
  const Borrowed work(state_->shelf);
  Lines lines;
  lines.text.reserve(text.size());  // only what is written to takes memory
  {
    Writer bodies(lines.text);
    work->walker.open(text, {1, 0});
    for (Line line; work->walker.next(state_->selection, work->slots, line);) {
      ++lines.received;
      if (line.fault) {
        lines.invalid.push_back({line.position, line.fault.code, told(line.fault)});
      } else {
        state_->put_body(*work, line.position, lines, bodies);
      }
    }
  }
  if (lines.text.size() < lines.text.capacity() / 4) lines.text.shrink_to_fit();
  return lines;
}

std::vector<std::string> Expression::paths() const { return state_->selection.asked(); }

const std::vector<Mistake>& Expression::warnings() const { return state_->mapping.warnings(); }

}  // namespace fieldpost
