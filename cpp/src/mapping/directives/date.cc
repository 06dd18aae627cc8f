// {"@date": {"value": …, "to": "date" | "date-time", "zone": "Europe/Berlin"}}: a moment as ISO
// 8601.
//
// Reads ISO 8601 texts and epochs (numbers, or texts of digits; `unit` says of what). A text
// without an offset is taken to be in `zone`, which is UTC unless given. Digits alone that could be
// a year, a month or a day are never an epoch where no unit is given.
#include <optional>

#include "base/moment.h"
#include "base/number.h"
#include "base/text.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/failure.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

struct Wish {
  bool only_date = false;
  std::optional<EpochUnit> unit;
  Failure failure = Failure::error;
};

class DateNode final : public Node {
 public:
  DateNode(NodePtr value, TimeZone zone, Wish wish)
      : value_(std::move(value)), zone_(std::move(zone)), wish_(wish) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (value.is_nothing()) return FindingNode::append_found(value, scope, out);
    const std::optional<std::string> text = text_of(read(value));
    if (!text) {
      return write_failure(wish_.failure, "@date: the value of this event is no moment", out);
    }
    append_json_string(*text, out);
    return true;
  }

 private:
  std::optional<std::string> text_of(const std::optional<Moment>& moment) const {
    if (!moment) return {};
    return wish_.only_date ? zone_.date(*moment) : zone_.date_time(*moment);
  }

  // Such as 2026, 202603, 20260301 and 20260301120000.
  bool is_calendar(std::string_view text) const {
    const std::size_t size = text.size();
    const bool fits = size == 4 || size == 6 || size == 8 || size == 14;
    return !wish_.unit && fits && text.find_first_not_of("0123456789") == std::string_view::npos;
  }

  std::optional<Moment> read(Value value) const {
    if (value.kind() == Value::Kind::number) return epoch(value.token());
    if (!value.is_string()) return {};
    const std::string text = value.string();
    const std::string_view plain = trim(text);
    return is_json_number(plain) && !is_calendar(plain) ? epoch(plain) : zone_.parse(plain);
  }

  std::optional<Moment> epoch(std::string_view digits) const {
    return moment_of_epoch(digits, wish_.unit.value_or(EpochUnit::seconds));
  }

  NodePtr value_;
  TimeZone zone_;
  Wish wish_;
};

}  // namespace

NodePtr compile_date(Compiler& compiler, const Json& argument, const std::string& path) {
  const bool is_short = !argument.is_object() || has_directive_key(argument);
  const Json wrapped = is_short ? Json{{"value", argument}} : argument;
  const Options options(compiler, "@date", wrapped, path,
                        {"value", "to", "zone", "unit", "on_failure"}, Origin::fieldpost);
  bool right = options.needs("value");
  right = options.text("zone") && right;
  right = options.one_of("to", {"date", "date-time"}) && right;
  right = options.one_of("unit", {"seconds", "milliseconds"}) && right;
  right = options.one_of("on_failure", {"error", "null", "omit"}) && right;
  NodePtr value = is_short ? compiler.compile(argument, path) : options.compile("value");
  if (!right) return nullptr;
  std::string name = "UTC";
  if (options.has("zone")) name = options["zone"].get<std::string>();
  std::optional<TimeZone> zone = TimeZone::find(name);
  if (!zone) {
    const std::string near = did_you_mean(name, TimeZone::names());
    compiler.mistake("E203", "@date knows no time zone " + options["zone"].dump(),
                     options.at("zone"),
                     near.empty() ? "for example \"UTC\" or \"Europe/Berlin\""
                                  : "did you mean \"" + near + "\"?");
    return nullptr;
  }
  Wish wish;
  wish.only_date = options.is("to", "date");
  if (options.has("unit")) {
    wish.unit = options.is("unit", "milliseconds") ? EpochUnit::milliseconds : EpochUnit::seconds;
  }
  wish.failure = failure_of(options, "on_failure");
  return std::make_unique<DateNode>(std::move(value), std::move(*zone), wish);
}

}  // namespace fieldpost
