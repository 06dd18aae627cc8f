// {"@date": {"value": …, "to": "date" | "date-time", "zone": "Europe/Berlin"}}: a moment as ISO
// 8601.
//
// Reads ISO 8601 texts and epochs (numbers, or texts of digits; `unit` says of what). A text
// without an offset is taken to be in `zone`, which is UTC unless given.
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
  double unit_ms = 1000;
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
    const std::optional<Moment> moment = read(value);
    if (!moment)
      return write_failure(wish_.failure, "@date: the value of this event is no moment", out);
    append_json_string(wish_.only_date ? zone_.date(*moment) : zone_.date_time(*moment), out);
    return true;
  }

 private:
  std::optional<Moment> read(Value value) const {
    if (value.kind() == Value::Kind::number) return epoch(value.token());
    if (!value.is_string()) return {};
    const std::string text = value.string();
    const std::string_view plain = trim(text);
    return is_json_number(plain) ? epoch(plain) : zone_.parse(plain);
  }

  std::optional<Moment> epoch(std::string_view digits) const {
    return moment_of_epoch(parse_number(digits) * wish_.unit_ms);
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
  wish.unit_ms = options.is("unit", "milliseconds") ? 1 : 1000;
  wish.failure = failure_of(options, "on_failure");
  return std::make_unique<DateNode>(std::move(value), std::move(*zone), wish);
}

}  // namespace fieldpost
