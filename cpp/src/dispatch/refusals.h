// Refusals that may be the address's fault or the destination's, not the records': so many alike
// to different records, with no good answer between, show it. Until then the refused ones are
// suspects, whose outcome is open. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace fieldpost {

class Refusals {
 public:
  using Id = std::uint64_t;
  using Ids = std::vector<Id>;

  // Notes a call that was refused at `place`; returns how many were refused so in a row. Suspects
  // of another code are no longer that: `cleared` takes them.
  int refused(const std::string& place, const std::string& code, Ids& cleared) {
    if (rows_.size() >= kMostPlaces && !rows_.contains(place)) rows_.clear();
    Row& row = rows_[place];
    if (row.code != code) {
      cleared = take(place);
      row = {code, 0};
    }
    return ++row.calls;
  }
  // Something good came from there, or all of it is decided: the suspects of that place.
  Ids clear(const std::string& place) {
    rows_.erase(place);
    return take(place);
  }

  void suspect(std::string place, Id id) { suspects_.push_back({std::move(place), id}); }
  std::size_t suspects() const noexcept { return suspects_.size(); }
  // The one that is suspected longest. REQUIRES: suspects() > 0.
  Id take_oldest() {
    const Id id = suspects_.front().id;
    suspects_.pop_front();
    return id;
  }
  // All suspects; the counts stay.
  Ids take_all() {
    Ids all;
    for (const Suspect& one : suspects_) all.push_back(one.id);
    suspects_.clear();
    return all;
  }
  bool empty() const noexcept { return rows_.empty() && suspects_.empty(); }

 private:
  // Where each record has an address of its own, single refusals would fill the memory.
  static constexpr std::size_t kMostPlaces = 1024;
  struct Row {
    std::string code;
    int calls = 0;
  };
  struct Suspect {
    std::string place;
    Id id;
  };

  Ids take(const std::string& place) {
    Ids taken;
    std::erase_if(suspects_, [&](const Suspect& one) {
      if (one.place != place) return false;
      taken.push_back(one.id);
      return true;
    });
    return taken;
  }

  std::unordered_map<std::string, Row> rows_;  // by place
  std::deque<Suspect> suspects_;               // the oldest first
};

}  // namespace fieldpost
