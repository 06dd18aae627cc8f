// The only door to chance. Tests use a fixed seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace fieldpost {

class Random {
 public:
  Random() : engine_(std::random_device{}()) {}
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  double uniform() { return std::uniform_real_distribution<double>(0, 1)(engine_); }
  std::string uuid4();

 private:
  std::mt19937_64 engine_;
};

}  // namespace fieldpost
