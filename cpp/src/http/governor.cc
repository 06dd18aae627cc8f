#include "http/governor.h"

#include <stdexcept>

namespace fieldpost {

Governor::Governor(int max_in_flight) : max_in_flight_(max_in_flight) {
  if (max_in_flight < 1) throw std::invalid_argument("max_in_flight must be at least 1");
}

void Governor::started() {
  if (in_flight_ >= max_in_flight_) throw std::logic_error("more calls than max_in_flight");
  ++in_flight_;
}

void Governor::ended() {
  if (in_flight_ == 0) throw std::logic_error("a call ended that was not started");
  --in_flight_;
}

}  // namespace fieldpost
