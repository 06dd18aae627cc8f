// A compiled query: event -> yes or no. Immutable; share it between threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace fieldpost {

class Selection;
class Slots;
struct FilterNode;

class Filter {
 public:
  // Adds the paths it reads to `selection`. Throws DocumentError with spans into `text`.
  Filter(std::string_view text, Selection& selection);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  bool matches(const Slots& slots) const;

 private:
  std::unique_ptr<FilterNode> root_;
};

}  // namespace fieldpost
