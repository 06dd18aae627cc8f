#include "base/process.h"

#include <pthread.h>

#include <atomic>

namespace fieldpost {

namespace {

std::atomic<std::uint64_t> forks = 1;

void count_fork() noexcept { forks.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

std::uint64_t process_mark() noexcept {
  static const int watched = pthread_atfork(nullptr, nullptr, &count_fork);
  static_cast<void>(watched);
  return forks.load(std::memory_order_relaxed);
}

}  // namespace fieldpost
