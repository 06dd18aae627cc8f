#include <algorithm>
#include <mutex>
#include <vector>

#include "event/selection.h"
#include "event/walker.h"
#include "fieldpost/filter.h"
#include "filter/datum.h"

namespace fieldpost {
namespace {

// What one thread needs to look at events; kept, because it grows with the longest one.
struct Bench {
  explicit Bench(const Selection& selection) : slots(selection) {}
  Walker walker;
  Slots slots;
  Texts texts;
};

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

struct EventFilter::State {
  State(std::string_view text, Dialect dialect) : filter(text, selection, dialect) {}

  // Lends a bench to one call.
  class Loan {
   public:
    explicit Loan(State& state) : state_(state) {
      const std::lock_guard lock(state.mutex);
      if (state.benches.empty()) return;
      bench_ = std::move(state.benches.back());
      state.benches.pop_back();
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    ~Loan() {
      const std::lock_guard lock(state_.mutex);
      state_.benches.push_back(std::move(bench_));
    }
    Bench& operator*() {
      if (!bench_) bench_ = std::make_unique<Bench>(state_.selection);
      return *bench_;
    }

   private:
    State& state_;
    std::unique_ptr<Bench> bench_;
  };

  Selection selection;
  Filter filter;
  std::mutex mutex;
  std::vector<std::unique_ptr<Bench>> benches;
};

namespace {

// Of the event in the slots.
Answer::Verdict verdict(const Filter& filter, Bench& bench) {
  return filter.matches(bench.slots, bench.texts) ? Answer::Verdict::yes : Answer::Verdict::no;
}

Answer answer(const Filter& filter, const Selection& selection, Bench& bench,
              std::string_view event) {
  Answer answer;
  const LineFault fault = is_blank(event) ? LineFault{"E401", "not valid JSON: nothing is there", 0}
                                          : bench.walker.walk(event, selection, bench.slots);
  if (fault) {
    answer.verdict = Answer::Verdict::invalid;
    answer.code = fault.code;
    answer.message = fault.message;
    answer.offset = fault.offset;
  } else {
    answer.verdict = verdict(filter, bench);
  }
  return answer;
}

}  // namespace

EventFilter::EventFilter(std::string_view text, Dialect dialect)
    : state_(std::make_unique<State>(text, dialect)) {}
EventFilter::~EventFilter() = default;

Answer EventFilter::matches(std::string_view event) const {
  State::Loan bench(*state_);
  return answer(state_->filter, state_->selection, *bench, event);
}

Answer EventFilter::explain(std::string_view event) const {
  State::Loan loan(*state_);
  Bench& bench = *loan;
  Answer given = answer(state_->filter, state_->selection, bench, event);
  if (given.verdict != Answer::Verdict::invalid) {
    given.explanation = state_->filter.explain(bench.slots);
  }
  return given;
}

std::string EventFilter::matches_lines(std::string_view ndjson) const {
  State::Loan loan(*state_);
  Bench& bench = *loan;
  std::string verdicts;
  const auto put = [&](std::uint64_t line, Answer::Verdict verdict) {
    verdicts.resize(line - 1, static_cast<char>(Answer::Verdict::no));  // of blank lines
    verdicts.push_back(static_cast<char>(verdict));
  };
  bench.walker.open(ndjson, {1, 0});
  for (Line line; bench.walker.next(state_->selection, bench.slots, line);) {
    put(line.position.line, line.fault ? Answer::Verdict::invalid : verdict(state_->filter, bench));
  }
  verdicts.resize(bench.walker.position().line - 1, static_cast<char>(Answer::Verdict::no));
  return verdicts;
}

}  // namespace fieldpost
