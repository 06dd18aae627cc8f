// The deliveries under way, by number. A number, and its memory, is used again once its delivery
// has ended; a delivery keeps its address until then. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "dispatch/delivery.h"

namespace fieldpost {

class Deliveries {
 public:
  using Id = std::uint64_t;

  Id add(std::shared_ptr<const Batch> batch, const Offer& offer) {
    if (free_.empty()) {
      free_.push_back(slots_.size());
      slots_.emplace_back();
    }
    const Id id = free_.back();
    slots_[id].emplace(std::move(batch), offer);
    free_.pop_back();
    return id;
  }

  // Throws where there is no such delivery.
  Delivery& at(Id id) { return slots_.at(id).value(); }
  const Delivery& at(Id id) const { return slots_.at(id).value(); }

  void end(Id id) {
    slots_.at(id).reset();
    free_.push_back(id);
  }

  std::size_t size() const noexcept { return slots_.size() - free_.size(); }
  bool empty() const noexcept { return size() == 0; }

 private:
  std::deque<std::optional<Delivery>> slots_;
  std::vector<Id> free_;
};

}  // namespace fieldpost
