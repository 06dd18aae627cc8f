#include "event/walker.h"

#include <algorithm>
#include <cstring>

#include "event/escapes.h"
#include "event/json_text.h"
#include "event/token_starts.h"
#include "event/walk.h"

namespace fieldpost {
namespace {

using Verdict = TokenStarts::Verdict;

// Bytes whose token places are found at once: they, the places and the slots fit a second-level
// cache.
constexpr std::size_t kBlock = std::size_t{128} << 10;

constexpr const char* kNotJson = "not valid JSON";
constexpr const char* kAnother =
    "another value follows on the same line: write one event a line, as jq -c . does";
constexpr const char* kComma = "a comma follows the event: write one event a line and no comma";
constexpr const char* kNul = "not valid JSON: NUL bytes, as a crash leaves them in a file";
constexpr LineFault kTooLong = {"E406", "the line is too long to hold in memory", 0};

bool is_blank_line(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// As many whole lines as fit; at least one.
std::string_view first_lines(std::string_view text) {
  if (text.size() <= kBlock) return text;
  std::size_t end = text.rfind('\n', kBlock - 1);
  if (end == std::string_view::npos) end = text.find('\n', kBlock);
  return text.substr(0, std::min(end, text.size() - 1) + 1);
}

// Why a line is no JSON, as far as that can be told; `stopped`: where its reading ended.
LineFault not_json(std::string_view line, std::size_t stopped) {
  const std::size_t end = first_json(line);
  if (end > 0 && end < line.size()) {
    if (line[end] == ',') return {"E401", kComma, end};
    if (line[end] == '{' || line[end] == '[') return {"E401", kAnother, end};
  }
  const std::size_t nul = line.find('\0');
  if (nul != std::string_view::npos) return {"E401", kNul, nul};
  return {"E401", kNotJson, std::min(stopped, line.size())};
}

// What is wrong with a line that does not begin and end as an object does.
LineFault fault_of(std::string_view line) {
  std::size_t stopped = 0;
  switch (check_json(line, &stopped)) {
    case JsonText::valid:
      return {"E402", "a JSON value, but not an object", 0};
    case JsonText::too_deep:
      return {"E405", "nested deeper than 1024 levels", stopped};
    case JsonText::invalid:
      break;
  }
  return not_json(line, stopped);
}

// The tokens of one text.
struct Tokens {
  TokenStarts starts;
  Escapes escapes;
  Walk walk;

  Verdict find(std::string_view text) {
    const Verdict verdict = starts.find(text);
    if (verdict != Verdict::found) return verdict;
    escapes.find(text);
    walk.open(text, escapes.places());
    return verdict;
  }
  bool ends_as_object(std::string_view text) const { return text[starts.end()[-1]] == '}'; }
};

}  // namespace

struct Walker::State {
  Tokens alone;  // of one event
  Tokens block;  // of many lines

  std::string_view text;   // what is left of it after `lines`
  std::string_view lines;  // the block
  std::size_t at = 0;      // in the block
  bool is_whole = false;   // its tokens are known; else each line is looked at alone
  Walk::Start token = nullptr;
  const std::uint32_t* broken_escape = nullptr;
  Position position;

  bool next_block() {
    if (text.empty()) return false;
    lines = first_lines(text);
    text.remove_prefix(lines.size());
    at = 0;
    const Verdict verdict = block.find(lines);
    is_whole = verdict == Verdict::found && block.ends_as_object(lines);
    token = block.starts.begin();
    broken_escape = block.escapes.broken();
    return true;
  }

  // Without its line break.
  std::string_view next_line() {
    const std::string_view rest = lines.substr(at);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    at = std::min(at + line.size() + 1, lines.size());
    position.offset += line.size() + 1;
    ++position.line;
    return line;
  }

  // Walks a line whose tokens are known. False where it is not an event.
  bool walk_known(std::uint32_t end, const Selection& selection, Slots& slots) {
    const Walk::Start first = token;
    Walk::Start after = nullptr;
    const bool is_sound = *broken_escape >= end;
    if (is_sound && lines[*first] == '{') {
      slots.clear(lines.data() + lines.size());
      after = block.walk.read(selection, slots, first, end);
    }
    if (after != nullptr) {
      token = after;
      return true;
    }
    while (*token < end) ++token;
    while (*broken_escape < end) ++broken_escape;
    return false;
  }
};

Walker::Walker() : state_(std::make_unique<State>()) {}
Walker::~Walker() = default;

LineFault Walker::walk(std::string_view event, const Selection& selection, Slots& slots) {
  Tokens& tokens = state_->alone;
  slots.clear(event.data() + event.size());
  switch (tokens.find(event)) {
    case Verdict::found:
      break;
    case Verdict::not_utf8:
      return {"E401", "not valid UTF-8", 0};
    case Verdict::too_long:
      return kTooLong;
    default:
      return not_json(event, event.size());
  }
  if (*tokens.escapes.broken() != Escapes::kNone) {
    return {"E401", "not valid JSON: a bad escape", 0};
  }
  const Walk::Start first = tokens.starts.begin();
  if (event[*first] != '{' || !tokens.ends_as_object(event)) return fault_of(event);
  const auto size = static_cast<std::uint32_t>(event.size());
  if (tokens.walk.read(selection, slots, first, size) != nullptr) return {};
  if (!tokens.walk.too_deep()) return not_json(event, tokens.walk.stopped());
  return {"E405", "nested deeper than 1024 levels", tokens.walk.stopped()};
}

void Walker::open(std::string_view text, Position start) {
  State& state = *state_;
  state.text = text;
  state.lines = {};
  state.at = 0;
  state.position = start;
}

bool Walker::next(const Selection& selection, Slots& slots, Line& line) {
  State& state = *state_;
  for (;;) {
    if (state.at == state.lines.size() && !state.next_block()) return false;
    line.position = state.position;
    line.text = state.next_line();
    line.fault = {};
    if (state.is_whole) {
      const auto end =
          static_cast<std::uint32_t>(line.text.data() + line.text.size() - state.lines.data());
      if (*state.token >= end) continue;  // blank
      if (state.walk_known(end, selection, slots)) return true;
    } else if (is_blank_line(line.text)) {
      continue;
    }
    line.fault = walk(line.text, selection, slots);
    return true;
  }
}

Position Walker::position() const { return state_->position; }

}  // namespace fieldpost
