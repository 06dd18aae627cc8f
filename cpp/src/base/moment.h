// Moments on the UTC time line, their ISO 8601 texts, and time zones by their IANA names.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fieldpost {

struct Moment {
  std::int64_t epoch_ms = 0;  // milliseconds since 1970-01-01T00:00:00Z, rounded down
  std::string finer;          // digits of a second behind them; the last is not 0
};

enum class EpochUnit : std::uint8_t { seconds, milliseconds };

// Of a number of JSON. Nothing that is outside the years 0001 to 9999 in every zone.
std::optional<Moment> moment_of_epoch(std::string_view number, EpochUnit unit);

// Immutable; share it between threads.
class TimeZone {
 public:
  static std::optional<TimeZone> find(const std::string& name);  // nothing: no such zone
  static std::vector<std::string> names();                       // all that `find` finds by itself
  TimeZone(TimeZone&&) noexcept;
  ~TimeZone();

  // "2024-05-02", "2024-05-02T10:11", "2024-05-02 10:11:12.345+02:00", …, also "20240502",
  // "20240502T101112Z" and "20240502101112"; without an offset it is a time of this zone. Nothing
  // where it is no such text or no such day.
  std::optional<Moment> parse(std::string_view text) const;

  // Nothing where the year is none of 0001 to 9999 in this zone.
  std::optional<std::string> date(const Moment& moment) const;  // "2024-05-02"
  // "2024-05-02T12:11:12.345+02:00"; UTC is "Z". Fractions have three digits or as many as it
  // takes.
  std::optional<std::string> date_time(const Moment& moment) const;

 private:
  struct Zone;
  explicit TimeZone(std::unique_ptr<Zone> zone);

  std::int64_t offset_ms(const Moment& moment) const;
  std::int64_t epoch_of_local(std::int64_t local_ms) const;

  std::unique_ptr<Zone> zone_;
};

}  // namespace fieldpost
