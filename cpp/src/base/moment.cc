#include "base/moment.h"

#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace fieldpost {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kFirst =
    -62'135'510'400'000;  // 0001-01-02T00:00:00Z: a day in hand for offsets
constexpr std::int64_t kEnd = 253'402'214'400'000;  // 9999-12-31T00:00:00Z, likewise

// Takes a text apart from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  char peek() const { return text_.empty() ? '\0' : text_[0]; }
  bool take(char c) {
    if (peek() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // A number of exactly `digits` digits, from `least` to `most`.
  std::optional<int> number(std::size_t digits, int least, int most) {
    if (text_.size() < digits) return {};
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return {};
      value = value * 10 + (text_[i] - '0');
    }
    if (value < least || value > most) return {};
    text_.remove_prefix(digits);
    return value;
  }
  // Digits after a point, as milliseconds.
  std::optional<int> fraction_ms() {
    int ms = 0;
    std::size_t digits = 0;
    for (; peek() >= '0' && peek() <= '9'; ++digits) {
      if (digits < 3) ms = ms * 10 + (peek() - '0');
      text_.remove_prefix(1);
    }
    if (digits == 0) return {};
    for (; digits < 3; ++digits) ms *= 10;
    return ms;
  }

 private:
  std::string_view text_;
};

std::optional<std::int64_t> read_day(Scanner& in) {
  const auto year = in.number(4, 1, 9999);
  if (!year || !in.take('-')) return {};
  const auto month = in.number(2, 1, 12);
  if (!month || !in.take('-')) return {};
  const auto day = in.number(2, 1, 31);
  if (!day) return {};
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {};
  return chrono::sys_days(date).time_since_epoch().count() * kDay;
}

std::optional<std::int64_t> read_time(Scanner& in) {
  const auto hour = in.number(2, 0, 23);
  if (!hour || !in.take(':')) return {};
  const auto minute = in.number(2, 0, 59);
  if (!minute) return {};
  std::int64_t ms = (*hour * 60 + *minute) * kMinute;
  if (!in.take(':')) return ms;
  const auto second = in.number(2, 0, 59);
  if (!second) return {};
  ms += *second * 1000;
  if (!in.take('.')) return ms;
  const auto fraction = in.fraction_ms();
  if (!fraction) return {};
  return ms + *fraction;
}

// "+02:00", "-0330", "+02".
std::optional<std::int64_t> read_offset(Scanner& in) {
  const std::int64_t sign = in.take('-') ? -1 : 1;
  if (sign > 0) in.take('+');
  const auto hours = in.number(2, 0, 23);
  if (!hours) return {};
  in.take(':');
  if (in.at_end()) return sign * *hours * 60 * kMinute;
  const auto minutes = in.number(2, 0, 59);
  if (!minutes) return {};
  return sign * (*hours * 60 + *minutes) * kMinute;
}

void append_padded(std::int64_t value, std::size_t width, std::string& out) {
  const std::string digits = std::to_string(value);
  out.append(width - digits.size(), '0').append(digits);
}

std::string day_text(std::int64_t local_ms) {
  const chrono::year_month_day date{chrono::floor<chrono::days>(
      chrono::sys_time<chrono::milliseconds>(chrono::milliseconds(local_ms)))};
  std::string text;
  append_padded(static_cast<int>(date.year()), 4, text);
  text.push_back('-');
  append_padded(static_cast<unsigned>(date.month()), 2, text);
  text.push_back('-');
  append_padded(static_cast<unsigned>(date.day()), 2, text);
  return text;
}

}  // namespace

std::optional<Moment> moment_of_epoch(double ms) {
  if (!(ms >= static_cast<double>(kFirst) && ms < static_cast<double>(kEnd))) return {};
  return Moment{static_cast<std::int64_t>(std::floor(ms))};
}

struct TimeZone::Zone {
  std::unique_ptr<icu::TimeZone> rules;
  bool is_utc;
};

TimeZone::TimeZone(std::unique_ptr<Zone> zone) : zone_(std::move(zone)) {}
TimeZone::TimeZone(TimeZone&&) noexcept = default;
TimeZone::~TimeZone() = default;

std::optional<TimeZone> TimeZone::find(const std::string& name) {
  std::unique_ptr<icu::TimeZone> rules(
      icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
  if (!rules || *rules == icu::TimeZone::getUnknown()) return {};
  return TimeZone(
      std::make_unique<Zone>(Zone{std::move(rules), name == "UTC" || name == "Etc/UTC"}));
}

std::vector<std::string> TimeZone::names() {
  std::vector<std::string> names;
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::StringEnumeration> listed(
      icu::TimeZone::createTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, status));
  while (listed && U_SUCCESS(status)) {
    const char* name = listed->next(nullptr, status);
    if (name == nullptr) break;
    names.emplace_back(name);
  }
  return names;
}

std::int64_t TimeZone::offset_ms(Moment moment) const {
  if (zone_->is_utc) return 0;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone_->rules->getOffset(static_cast<UDate>(moment.epoch_ms), false, raw, saving, status);
  return std::int64_t{raw} + saving;
}

std::optional<Moment> TimeZone::parse(std::string_view text) const {
  Scanner in(text);
  const auto day = read_day(in);
  if (!day) return {};
  std::int64_t local = *day;
  if (in.take('T') || in.take('t') || in.take(' ')) {
    const auto time = read_time(in);
    if (!time) return {};
    local += *time;
    if ((in.take('Z') || in.take('z')))
      return in.at_end() ? moment_of_epoch(static_cast<double>(local)) : std::nullopt;
    if (!in.at_end()) {
      const auto offset = read_offset(in);
      if (!offset || !in.at_end()) return {};
      return moment_of_epoch(static_cast<double>(local - *offset));
    }
  }
  if (!in.at_end()) return {};
  if (zone_->is_utc) return moment_of_epoch(static_cast<double>(local));
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone_->rules->getOffset(static_cast<UDate>(local), true, raw, saving, status);
  return moment_of_epoch(static_cast<double>(local - raw - saving));
}

std::string TimeZone::date(Moment moment) const {
  return day_text(moment.epoch_ms + offset_ms(moment));
}

std::string TimeZone::date_time(Moment moment) const {
  const std::int64_t offset = offset_ms(moment);
  const std::int64_t local = moment.epoch_ms + offset;
  std::string text = day_text(local);
  const std::int64_t ms = ((local % kDay) + kDay) % kDay;
  const std::int64_t parts[] = {ms / 3'600'000, ms / kMinute % 60, ms / 1000 % 60};
  char before = 'T';
  for (const std::int64_t part : parts) {
    text.push_back(before);
    append_padded(part, 2, text);
    before = ':';
  }
  if (ms % 1000 != 0) {
    text.push_back('.');
    append_padded(ms % 1000, 3, text);
  }
  if (zone_->is_utc) return text + "Z";
  const std::int64_t minutes = std::abs(offset) / kMinute;
  text.push_back(offset < 0 ? '-' : '+');
  append_padded(minutes / 60, 2, text);
  text.push_back(':');
  append_padded(minutes % 60, 2, text);
  return text;
}

}  // namespace fieldpost
