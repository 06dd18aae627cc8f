// Any JSON document as a mapping: it compiles or gives mistakes; what it makes of any events is
// JSON, the same each time, alone and among neighbours.
//
// Input: the document, NUL, lines of events.
#include <string>
#include <string_view>

#include "dom.h"
#include "fieldpost/error.h"
#include "fieldpost/expression.h"
#include "fieldpost/mapping.h"
#include "must.h"

namespace fieldpost::fuzz {
namespace {

void check_mistakes(const DocumentError& error) {
  must(!error.mistakes().empty(), "a refusal names a mistake");
  for (const Mistake& mistake : error.mistakes()) {
    must(mistake.code.size() == 4 && mistake.code[0] == 'E', "a mistake has its code");
    must(!mistake.message.empty(), "a mistake has its words");
    must(mistake.path.starts_with("$"), "a mistake has its place", mistake.path);
  }
}

// The body of one line, "" where it is undefined, "E…" where the line is invalid.
std::string alone(const Expression& expression, std::string_view line) {
  const Lines lines = expression.apply_lines(line);
  if (!lines.invalid.empty()) return lines.invalid[0].code;
  return lines.text;
}

void check_events(const Expression& expression, std::string_view events) {
  const Lines all = expression.apply_lines(events);
  std::string bodies;
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t end = std::min(events.find('\n', at), events.size());
    const std::string body = alone(expression, events.substr(at, end - at));
    at = end + 1;
    if (body.empty() || body[0] == 'E') continue;
    bodies += body;
    must(body.find('\n') == body.size() - 1, "a body is one line", body);
    static Dom dom;
    must(dom.is_json(body), "a body is JSON", body);
  }
  must(bodies == all.text, "neighbours leave bodies alone", all.text, bodies);
}

void run(std::string_view input) {
  const std::size_t cut = std::min(input.find('\0'), input.size());
  const Json document = Json::parse(input.substr(0, cut), nullptr, false);
  if (document.is_discarded()) return;
  try {
    const Expression expression(document, {});
    expression.paths();
    check_events(expression, input.substr(std::min(cut + 1, input.size())));
  } catch (const DocumentError& error) {
    check_mistakes(error);
  }
}

}  // namespace
}  // namespace fieldpost::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fieldpost::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
