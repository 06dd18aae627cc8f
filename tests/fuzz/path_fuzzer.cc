// Any text as a path, of directives and of templates: it compiles, is read from any event, and
// what the mapping says it reads means the same path again.
//
// Input: the path, NUL, lines of events.
#include <simdjson.h>

#include <string>
#include <vector>

#include "dom.h"
#include "fieldpost/expression.h"
#include "must.h"

namespace fieldpost::fuzz {
namespace {

void check_bodies(const Expression& expression, std::string_view events) {
  const Lines lines = expression.apply_lines(events);
  std::size_t at = 0;
  for (std::size_t i = 0; i < lines.line_numbers.size(); ++i) {
    const std::size_t end = lines.text.find('\n', at);
    must(end != std::string::npos, "each body ends in a newline");
    const std::string_view body = std::string_view(lines.text).substr(at, end - at);
    static Dom dom;
    must(dom.is_json(body), "a body is JSON", body);
    at = end + 1;
  }
  must(at == lines.text.size(), "one body for each line number");
}

void run(std::string_view text) {
  const std::size_t cut = std::min(text.find('\0'), text.size());
  const std::string path(text.substr(0, cut));
  if (!simdjson::validate_utf8(path.data(), path.size())) return;  // no document holds such a text
  const std::string_view events = text.substr(std::min(cut + 1, text.size()));

  const Expression one(Json{{"@path", path}}, {});
  check_bodies(one, events);
  const std::vector<std::string> paths = one.paths();
  must(paths.size() == 1, "a path is one path");
  const Expression again(Json{{"@path", paths[0]}}, {});
  must(again.paths() == paths, "a path that is told means itself", again.paths()[0], paths[0]);
  must(again.apply_lines(events).text == one.apply_lines(events).text, "and finds the same");

  check_bodies(Expression(Json{{"@template", "a {{" + path + "}} b {{{" + path + "}}}"}}, {}),
               events);
  check_bodies(Expression(Json{{"@arrayPath", {path, {{"x", {{"@path", path}}}}}}}, {}), events);
}

}  // namespace
}  // namespace fieldpost::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fieldpost::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
