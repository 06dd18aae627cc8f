// How many records one request takes, learned from what became of the last ones: as many as are
// answered in about `aim_s`, within bounds. It knows no clock. One thread at a time.
#pragma once

#include <algorithm>
#include <cstddef>

namespace fieldpost {

class PackSize {
 public:
  explicit PackSize(std::size_t most = 1000, std::size_t start = 100)
      : most_(most), records_(static_cast<double>(std::min(start, most))) {}

  std::size_t records() const noexcept {
    return std::max<std::size_t>(1, std::min(static_cast<std::size_t>(records_), most_));
  }

  // `count` records were answered after `latency_s`. Few records say little of many.
  void answered(std::size_t count, double latency_s, double aim_s);
  void too_slow(std::size_t count) noexcept { shrink_to(count / 2); }  // the service gave up
  // Too many requests, or too much time of the service.
  void scale(double factor) noexcept;

 private:
  void shrink_to(std::size_t records) noexcept {
    records_ = std::max(1.0, std::min(records_, static_cast<double>(records)));
  }

  std::size_t most_;
  double records_;
};

}  // namespace fieldpost
