#include "base/moment.h"

#include <unicode/strenum.h>
#include <unicode/timezone.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "base/number.h"

namespace fieldpost {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kFirst = -62'135'596'800'000;  // 0001-01-01T00:00:00
constexpr std::int64_t kEnd = 253'402'300'800'000;    // 10000-01-01T00:00:00

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
  std::string_view digits() {
    const std::size_t end = std::min(text_.find_first_not_of("0123456789"), text_.size());
    const std::string_view digits = text_.substr(0, end);
    text_.remove_prefix(end);
    return digits;
  }

 private:
  std::string_view text_;
};

// ISO 8601 knows both with and without marks between the numbers.
enum class Marks : std::uint8_t { none, some };

struct Day {
  std::int64_t local_ms;
  Marks marks;
};

// A fraction's digits as milliseconds, and those behind them.
std::int64_t split_fraction(std::string_view digits, std::string& finer) {
  std::string ms(digits.substr(0, 3));
  ms.resize(3, '0');
  finer = digits.size() > 3 ? digits.substr(3) : "";
  finer.resize(finer.find_last_not_of('0') + 1);
  return (ms[0] - '0') * 100 + (ms[1] - '0') * 10 + (ms[2] - '0');
}

bool is_near(std::int64_t epoch_ms) { return epoch_ms >= kFirst - kDay && epoch_ms < kEnd + kDay; }

std::optional<Moment> moment_near(std::int64_t epoch_ms, std::string finer) {
  if (!is_near(epoch_ms)) return {};
  return Moment{epoch_ms, std::move(finer)};
}

std::optional<Day> read_day(Scanner& in) {
  const auto year = in.number(4, 1, 9999);
  if (!year) return {};
  const Marks marks = in.take('-') ? Marks::some : Marks::none;
  const auto month = in.number(2, 1, 12);
  if (!month || (marks == Marks::some && !in.take('-'))) return {};
  const auto day = in.number(2, 1, 31);
  if (!day) return {};
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {};
  return Day{chrono::sys_days(date).time_since_epoch().count() * kDay, marks};
}

std::optional<std::int64_t> read_time(Scanner& in, Marks marks, std::string& finer) {
  const auto hour = in.number(2, 0, 23);
  if (!hour || (marks == Marks::some && !in.take(':'))) return {};
  const auto minute = in.number(2, 0, 59);
  if (!minute) return {};
  std::int64_t ms = (*hour * 60 + *minute) * kMinute;
  const bool has_seconds =
      marks == Marks::some ? in.take(':') : in.peek() >= '0' && in.peek() <= '9';
  if (!has_seconds) return ms;
  const auto second = in.number(2, 0, 59);
  if (!second) return {};
  ms += *second * 1000;
  if (!in.take('.') && !in.take(',')) return ms;
  const std::string_view fraction = in.digits();
  if (fraction.empty()) return {};
  return ms + split_fraction(fraction, finer);
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

// REQUIRES: the year is one of 0001 to 9999.
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

std::optional<Moment> moment_of_epoch(std::string_view number, EpochUnit unit) {
  const double ms = parse_number(number) * (unit == EpochUnit::seconds ? 1000 : 1);
  if (!(std::abs(ms) < 1e15)) return {};
  const std::string text = number_key(number);
  if (text.find('e') != std::string::npos) return moment_near(ms < 0 ? -1 : 0, "");  // next to 0
  const bool negative = text[0] == '-';
  const std::string_view digits = std::string_view(text).substr(negative ? 1 : 0);
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  std::string fraction(dot < digits.size() ? digits.substr(dot + 1) : "");
  std::int64_t whole = 0;
  std::from_chars(digits.data(), digits.data() + dot, whole);
  if (unit == EpochUnit::milliseconds) {
    fraction.insert(0, "000");
  } else {
    whole *= 1000;
  }
  std::string finer;
  whole += split_fraction(fraction, finer);
  if (!negative) return moment_near(whole, std::move(finer));
  if (finer.empty()) return moment_near(-whole, "");
  // Rounded down, so the digits behind count from there.
  for (char& c : finer) c = static_cast<char>('0' + '9' - c);
  ++finer.back();
  return moment_near(-whole - 1, std::move(finer));
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

std::int64_t TimeZone::offset_ms(const Moment& moment) const {
  if (zone_->is_utc) return 0;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone_->rules->getOffset(static_cast<UDate>(moment.epoch_ms), false, raw, saving, status);
  return std::int64_t{raw} + saving;
}

std::int64_t TimeZone::epoch_of_local(std::int64_t local_ms) const {
  if (zone_->is_utc) return local_ms;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  UErrorCode status = U_ZERO_ERROR;
  zone_->rules->getOffset(static_cast<UDate>(local_ms), true, raw, saving, status);
  return local_ms - raw - saving;
}

std::optional<Moment> TimeZone::parse(std::string_view text) const {
  Scanner in(text);
  const auto day = read_day(in);
  if (!day) return {};
  std::int64_t local = day->local_ms;
  std::string finer;
  const bool is_run = day->marks == Marks::none && in.peek() >= '0' && in.peek() <= '9';
  if (is_run || in.take('T') || in.take('t') || in.take(' ')) {
    const auto time = read_time(in, day->marks, finer);
    if (!time) return {};
    local += *time;
    if ((in.take('Z') || in.take('z')))
      return in.at_end() ? moment_near(local, std::move(finer)) : std::nullopt;
    if (!in.at_end()) {
      const auto offset = read_offset(in);
      if (!offset || !in.at_end()) return {};
      return moment_near(local - *offset, std::move(finer));
    }
  }
  if (!in.at_end()) return {};
  return moment_near(epoch_of_local(local), std::move(finer));
}

std::optional<std::string> TimeZone::date(const Moment& moment) const {
  const std::int64_t local = moment.epoch_ms + offset_ms(moment);
  if (local < kFirst || local >= kEnd) return {};
  return day_text(local);
}

std::optional<std::string> TimeZone::date_time(const Moment& moment) const {
  const std::int64_t offset = offset_ms(moment);
  const std::int64_t local = moment.epoch_ms + offset;
  if (local < kFirst || local >= kEnd) return {};
  std::string text = day_text(local);
  const std::int64_t ms = ((local % kDay) + kDay) % kDay;
  const std::int64_t parts[] = {ms / 3'600'000, ms / kMinute % 60, ms / 1000 % 60};
  char before = 'T';
  for (const std::int64_t part : parts) {
    text.push_back(before);
    append_padded(part, 2, text);
    before = ':';
  }
  if (ms % 1000 != 0 || !moment.finer.empty()) {
    text.push_back('.');
    append_padded(ms % 1000, 3, text);
    text += moment.finer;
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
