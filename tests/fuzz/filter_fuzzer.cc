// Any text as a filter of each dialect: it compiles or is refused with a place; what compiles gives
// one verdict for an event however it is asked.
//
// Input: the filter, NUL, lines of events.
#include <simdjson.h>

#include <array>
#include <memory>
#include <string>

#include "dom.h"
#include "fieldpost/error.h"
#include "fieldpost/filter.h"
#include "must.h"

namespace fieldpost::fuzz {
namespace {

std::unique_ptr<EventFilter> compiled(std::string_view text, Dialect dialect) {
  try {
    return std::make_unique<EventFilter>(text, dialect);
  } catch (const DocumentError& error) {
    must(!error.mistakes().empty(), "a refusal names a mistake");
    for (const Mistake& mistake : error.mistakes()) {
      must(mistake.code.size() == 4 && mistake.code[0] == 'E', "a mistake has its code");
      must(!mistake.message.empty(), "a mistake has its words");
      must(mistake.begin <= mistake.end && mistake.end <= text.size(), "a mistake has its place");
    }
    return nullptr;
  }
}

void check_line(const EventFilter& filter, const EventFilter& again, std::string_view line,
                char verdict) {
  const Answer answer = filter.matches(line);
  must(static_cast<char>(answer.verdict) == verdict, "one verdict alone and among lines");
  must(again.matches(line).verdict == answer.verdict, "one verdict however often it is compiled");
  const Answer explained = filter.explain(line);
  must(explained.verdict == answer.verdict, "one verdict when it is explained");
  if (answer.verdict == Answer::Verdict::invalid) return;
  static Dom dom;
  must(dom.is_json(explained.explanation), "an explanation is JSON", explained.explanation);
  const auto root = dom.parse(softened(explained.explanation));
  must(root->at_key("verdict").get_bool().value() == (answer.verdict == Answer::Verdict::yes),
       "an explanation ends in the verdict");
}

void run(std::string_view input) {
  const std::size_t cut = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(0, cut);
  if (!simdjson::validate_utf8(text.data(), text.size())) return;  // no document holds such a text
  const std::string_view events = input.substr(std::min(cut + 1, input.size()));
  for (const Dialect dialect : {Dialect::fieldpost, Dialect::trigger, Dialect::destination}) {
    const auto filter = compiled(text, dialect);
    const auto again = compiled(text, dialect);
    must((filter == nullptr) == (again == nullptr), "one opinion of a text");
    if (!filter) continue;
    const std::string verdicts = filter->matches_lines(events);
    std::size_t at = 0;
    for (const char verdict : verdicts) {
      const std::size_t end = std::min(events.find('\n', at), events.size());
      const std::string_view line = events.substr(at, end - at);
      at = end + 1;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        check_line(*filter, *again, line, verdict);
      }
    }
    must(at >= events.size(), "one verdict for each line");
  }
}

}  // namespace
}  // namespace fieldpost::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fieldpost::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
