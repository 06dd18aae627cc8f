// Records of one order key, one behind the other: only the first of a lane may be on its way.
// One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fieldpost {

class Lanes {
 public:
  using Id = std::uint64_t;

  // True where the record is the first of its lane and may go.
  bool enter(std::string_view key, Id id) {
    std::deque<Id>& lane = lanes_[std::string(key)];
    lane.push_back(id);
    return lane.size() == 1;
  }

  // The first of the lane is done; who may go now. REQUIRES: somebody entered the lane.
  std::optional<Id> leave(std::string_view key) {
    const auto lane = lanes_.find(std::string(key));
    lane->second.pop_front();
    if (!lane->second.empty()) return lane->second.front();
    lanes_.erase(lane);
    return std::nullopt;
  }

  // One of this lane waits for its subscription, which is paused: nothing may overtake it.
  void hold(std::string_view key, std::uint32_t subscription) {
    held_.try_emplace(std::string(key), subscription);
  }
  std::optional<std::uint32_t> held_for(std::string_view key) const {
    if (held_.empty() || key.empty()) return std::nullopt;
    const auto held = held_.find(std::string(key));
    return held == held_.end() ? std::nullopt : std::optional(held->second);
  }

 private:
  std::unordered_map<std::string, std::deque<Id>> lanes_;
  std::unordered_map<std::string, std::uint32_t> held_;
};

}  // namespace fieldpost
