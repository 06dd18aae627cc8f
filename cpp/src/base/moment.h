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
  std::int64_t epoch_ms = 0;  // milliseconds since 1970-01-01T00:00:00Z
};

// Nothing outside the years 0001 to 9999. Fractions of a millisecond are cut off.
std::optional<Moment> moment_of_epoch(double ms);

// Immutable; share it between threads.
class TimeZone {
 public:
  static std::optional<TimeZone> find(const std::string& name);  // nothing: no such zone
  static std::vector<std::string> names();                       // all that `find` finds by itself
  TimeZone(TimeZone&&) noexcept;
  ~TimeZone();

  // "2024-05-02", "2024-05-02T10:11", "2024-05-02 10:11:12.345+02:00", …; without an offset it is
  // a time of this zone. Nothing where it is no such text or no such day.
  std::optional<Moment> parse(std::string_view text) const;

  std::string date(Moment moment) const;       // "2024-05-02"
  std::string date_time(Moment moment) const;  // "2024-05-02T12:11:12.345+02:00"; UTC is "Z"

 private:
  struct Zone;
  explicit TimeZone(std::unique_ptr<Zone> zone);

  std::int64_t offset_ms(Moment moment) const;

  std::unique_ptr<Zone> zone_;
};

}  // namespace fieldpost
