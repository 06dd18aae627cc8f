#include "protocol/dynamics/pack_size.h"

namespace fieldpost {

namespace {

constexpr double kGrowth = 2;       // at most, from one answer to the next
constexpr double kCloseEnough = 2;  // times or parts of the aim that need no other size
constexpr double kLeast_s = 0.001;

}  // namespace

void PackSize::answered(std::size_t count, double latency_s, double aim_s) {
  const double size = static_cast<double>(records());
  const double sent = static_cast<double>(count);
  if (sent * 2 < size) return;
  const double latency = std::max(latency_s, kLeast_s);
  if (latency * kCloseEnough < aim_s) {
    // What was sent before the size grew must not make it grow again.
    const double wanted = sent * std::min(kGrowth, aim_s / latency);
    records_ = std::clamp(wanted, records_, static_cast<double>(most_));
  } else if (latency > aim_s * kCloseEnough * 0.75) {
    records_ = std::clamp(sent * aim_s / latency, 1.0, size);
  }
}

void PackSize::scale(double factor) noexcept {
  records_ = std::clamp(records_ * factor, 1.0, static_cast<double>(most_));
}

}  // namespace fieldpost
