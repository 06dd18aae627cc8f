#include "http/date.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <vector>

namespace fieldpost {

namespace {

using Words = std::vector<std::string_view>;

Words words_of(std::string_view text, std::string_view between) {
  Words words;
  for (std::size_t at = text.find_first_not_of(between); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(between, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(between, end);
  }
  return words;
}

// Digits alone, or -1.
int number_in(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : -1;
}

int month_in(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), text);
  return found == kMonths.end() ? -1 : static_cast<int>(found - kMonths.begin());
}

int year_of_unix(double unix_s) {
  const auto seconds = static_cast<std::time_t>(unix_s);
  std::tm date{};
  gmtime_r(&seconds, &date);
  return date.tm_year + 1900;
}

int year_in(std::string_view text, double now_unix_s) {
  const int year = number_in(text);
  if (year < 0 || text.size() == 4) return year;
  if (text.size() != 2) return -1;
  const int now = year_of_unix(now_unix_s);
  const int whole = now - now % 100 + year;
  if (whole > now + 50) return whole - 100;
  return whole < now - 50 ? whole + 100 : whole;
}

std::optional<double> moment_of(int year, std::string_view month, std::string_view day,
                                std::string_view time) {
  const Words clock = words_of(time, ":");
  if (clock.size() != 3) return std::nullopt;
  std::tm date{};
  date.tm_mday = number_in(day);
  date.tm_mon = month_in(month);
  date.tm_year = year - 1900;
  date.tm_hour = number_in(clock[0]);
  date.tm_min = number_in(clock[1]);
  date.tm_sec = number_in(clock[2]);
  const bool whole = date.tm_mday > 0 && date.tm_mday <= 31 && date.tm_mon >= 0 &&
                     date.tm_year >= 0 && date.tm_hour >= 0 && date.tm_hour < 24 &&
                     date.tm_min >= 0 && date.tm_min < 60 && date.tm_sec >= 0 && date.tm_sec <= 60;
  if (!whole) return std::nullopt;
  return static_cast<double>(timegm(&date));
}

}  // namespace

std::optional<double> http_date(std::string_view text, double now_unix_s) {
  const Words words = words_of(text, " ");
  if (words.size() == 6 && words[5] == "GMT") {
    if (!words[0].ends_with(',') || words[3].size() != 4) return std::nullopt;
    return moment_of(number_in(words[3]), words[2], words[1], words[4]);
  }
  if (words.size() == 4 && words[3] == "GMT") {
    const Words date = words_of(words[1], "-");
    if (!words[0].ends_with(',') || date.size() != 3) return std::nullopt;
    return moment_of(year_in(date[2], now_unix_s), date[1], date[0], words[2]);
  }
  if (words.size() == 5 && words[4].size() == 4) {
    return moment_of(number_in(words[4]), words[1], words[2], words[3]);
  }
  return std::nullopt;
}

}  // namespace fieldpost
