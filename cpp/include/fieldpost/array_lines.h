// A JSON array of events, read as lines: item n becomes line n, in place and byte for byte, so that
// offsets stay those of the array.
//
// It looks at brackets, quotes and commas only: whether an item is JSON is found where every line
// is read, so a broken item costs itself. What is wrong between the items (an early end, a comma
// too many, text after the end) is kept as the first fault; everything else goes on.
// Single owner; not for two threads at once.
#pragma once

#include <cstdint>
#include <span>

namespace fieldpost {

class ArrayLines {
 public:
  enum class Fault : std::uint8_t { none, early_end, missing_item, after_end };

  void turn(std::span<char> bytes);  // the next bytes of the array
  void finish();                     // there are no more

  Fault fault() const noexcept { return fault_; }
  std::uint64_t fault_offset() const noexcept { return fault_offset_; }

 private:
  void outside(char& byte);  // before the array, between its items, after it
  void found(Fault fault);

  std::uint64_t offset_ = 0;
  std::uint64_t depth_ = 0;  // 1: between items
  bool began_ = false;
  bool in_text_ = false;
  bool escaped_ = false;
  bool item_ = false;  // something stands since the last comma
  bool comma_ = false;
  Fault fault_ = Fault::none;
  std::uint64_t fault_offset_ = 0;
};

}  // namespace fieldpost
