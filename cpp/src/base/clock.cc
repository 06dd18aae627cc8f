#include "base/clock.h"

#include <chrono>

namespace fieldpost {

namespace {

template <typename AnyClock>
double seconds() {
  return std::chrono::duration<double>(AnyClock::now().time_since_epoch()).count();
}

}  // namespace

double SystemClock::monotonic_s() const { return seconds<std::chrono::steady_clock>(); }

double SystemClock::unix_s() const { return seconds<std::chrono::system_clock>(); }

}  // namespace fieldpost
