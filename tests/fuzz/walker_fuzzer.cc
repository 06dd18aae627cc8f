// Any lines at all, held to simdjson's own DOM parser: accepted and refused alike, the same values
// at chosen paths; and no line is changed by the lines around it, or by where a chunk is cut.
#include <algorithm>
#include <string>
#include <vector>

#include "dom.h"
#include "fieldpost/chunk.h"
#include "fieldpost/expression.h"
#include "fieldpost/filter.h"
#include "fieldpost/plan.h"
#include "must.h"

namespace fieldpost::fuzz {
namespace {

constexpr std::size_t kDeepest = 1024;

const std::vector<std::vector<std::string>> kPaths = {{},
                                                      {"a"},
                                                      {"a", "b"},
                                                      {"a", "b", "c"},
                                                      {"a.b"},
                                                      {"b"},
                                                      {"b", "0"},
                                                      {"b", "1", "a"},
                                                      {"b", "length"},
                                                      {"type"},
                                                      {"properties", "plan"},
                                                      {"a", "b", "length"},
                                                      {"abcdefgh"},
                                                      {"abcdefghi"},
                                                      {"é"},
                                                      {"\n"},
                                                      {"properties"},
                                                      {"properties", "plan", "a", "b"}};

std::string path_text(const std::vector<std::string>& path) {
  std::string text = "$.";
  for (const std::string& key : path) text += "['" + key + "']";
  return text;
}

Json every_path() {
  Json mapping = Json::object();
  for (std::size_t i = 0; i < kPaths.size(); ++i) {
    mapping["p" + std::to_string(i)] = {{"@path", path_text(kPaths[i])}};
  }
  mapping["items"] = {{"@arrayPath", {"$.b", {{"a", {{"@path", "$.a"}}}}}}};
  return mapping;
}

const EventFilter& every_event() {
  static const EventFilter filter("all");
  return filter;
}

const Expression& chosen() {
  static const Expression expression(every_path(), {});
  return expression;
}

const Plan& plan() {
  static const Plan plan(
      Json{{"event_id", {{"@literal", "one"}}},
           {"subscriptions",
            {{{"filter", "all"}, {"body", every_path()}}, {{"filter", "type = \"track\""}}}}});
  return plan;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Whether the line is an event, by the DOM; ours has to say the same.
bool check_verdict(std::string_view line) {
  const Answer ours = every_event().matches(line);
  const bool accepted = ours.verdict == Answer::Verdict::yes;
  must(ours.offset <= line.size(), "a fault lies within its line");
  const bool too_deep = nesting(line) > kDeepest;
  must(accepted || too_deep || std::string_view(ours.code) != "E405", "E405 is told of deep lines");
  must(!accepted || !too_deep, "deep lines are refused");
  if (too_deep) return false;
  static Dom dom;
  auto root = dom.parse(line);
  if (!root) root = dom.parse(softened(line));
  const bool expected = root && root->is_object();
  must(accepted == expected, "the same verdict", accepted ? "accepted" : ours.message,
       expected ? "accepted" : "refused");
  return accepted;
}

void check_values(std::string_view line, std::string_view body) {
  static Dom theirs;
  const auto event = theirs.parse(line);
  if (!event) return;  // the DOM cannot hold what it has
  static Dom mine;
  const auto root = mine.parse(body);
  if (!root) {  // one unit of a pair may have been asked for, which the DOM cannot hold
    must(mine.is_json(body), "a body is JSON", body);
    return;
  }
  for (std::size_t i = 0; i < kPaths.size(); ++i) {
    bool known = true;
    const auto expected = followed(*event, kPaths[i], known);
    if (!known) continue;
    const auto seen = followed(*root, {"p" + std::to_string(i)}, known);
    must(seen == expected, "the same value", seen.value_or("undefined"),
         expected.value_or("undefined"));
  }
}

// The bodies and faults of the lines on their own, put together.
Lines lines_alone(const std::vector<std::string_view>& lines) {
  Lines all;
  std::uint64_t offset = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    Lines one = chosen().apply_lines(lines[i]);
    all.text += one.text;
    for (InvalidLine& invalid : one.invalid) {
      invalid.position = {i + 1, offset};
      all.invalid.push_back(invalid);
    }
    if (!one.line_numbers.empty()) all.line_numbers.push_back(i + 1);
    offset += lines[i].size() + 1;
  }
  return all;
}

void check_same(const Lines& seen, const Lines& expected) {
  must(seen.text == expected.text, "neighbours leave bodies alone", seen.text, expected.text);
  must(seen.line_numbers == expected.line_numbers, "neighbours leave line numbers alone");
  must(seen.invalid.size() == expected.invalid.size(), "neighbours add no faults");
  for (std::size_t i = 0; i < seen.invalid.size(); ++i) {
    const InvalidLine& a = seen.invalid[i];
    const InvalidLine& b = expected.invalid[i];
    must(a.position.line == b.position.line && a.position.offset == b.position.offset &&
             a.code == b.code && a.message == b.message,
         "neighbours leave faults alone", a.message, b.message);
  }
}

// The text in pieces of `step` bytes through chunks and a plan.
void check_plan(std::string_view text, std::size_t step, const Lines& expected) {
  Lines seen;
  Chunk chunk("source", true, step);
  const auto process = [&] {
    const auto batch = plan().process(chunk);
    for (const Record& record : batch->records) {
      if (record.subscription != 0) continue;
      seen.text += batch->text(record.body);
      seen.text.push_back('\n');
      seen.line_numbers.push_back(record.position.line);
    }
    for (const Ended& ended : batch->ended) {
      if (ended.subscription != 0) continue;
      seen.invalid.push_back({ended.position, ended.code, ""});
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    const auto spare = chunk.spare();
    const std::size_t size = std::min({spare.size(), step, text.size() - at});
    std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, spare.begin());
    chunk.filled(size);
    at += size;
    if (!chunk.ready()) continue;
    process();
    chunk = chunk.rest();
  }
  chunk.finish();
  process();
  must(seen.text == expected.text, "chunks leave bodies alone", seen.text, expected.text);
  must(seen.line_numbers == expected.line_numbers, "chunks leave line numbers alone");
  must(seen.invalid.size() == expected.invalid.size(), "chunks leave faults alone");
  for (std::size_t i = 0; i < seen.invalid.size(); ++i) {
    must(seen.invalid[i].position.line == expected.invalid[i].position.line &&
             seen.invalid[i].position.offset == expected.invalid[i].position.offset,
         "chunks leave places alone");
  }
}

void run(std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::string verdicts;
  for (const std::string_view line : lines) {
    if (is_blank(line)) {
      verdicts.push_back(0);
      continue;
    }
    const bool accepted = check_verdict(line);
    verdicts.push_back(accepted ? 1 : 2);
    const Lines alone = chosen().apply_lines(line);
    must(accepted == alone.invalid.empty(), "mapping and filter read the same lines");
    if (accepted) check_values(line, alone.text);
  }
  must(every_event().matches_lines(text) == verdicts, "neighbours leave verdicts alone");
  const Lines expected = lines_alone(lines);
  check_same(chosen().apply_lines(text), expected);
  check_plan(text, 1 + text.size() % 97, expected);
}

}  // namespace
}  // namespace fieldpost::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fieldpost::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
