// The way over the tokens of a text, one object after the other: checks JSON's grammar, numbers and
// words, and puts what a selection asks for into slots.
//
// A text holds one line or many. What stands inside strings was checked before (TokenStarts,
// Escapes). Used by Walker only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "event/selection.h"

namespace fieldpost {

class Walk {
 public:
  using Start = const std::uint32_t*;  // where a token begins in the text

  static constexpr std::size_t kDeepest = 1024;

  // The text that the places are of; `escapes` as Escapes::places() gives them.
  void open(std::string_view text, const std::uint32_t* escapes);

  // Reads the object that begins at `first` and has to fill its line, which ends at `line_end`.
  // Gives the first token after it, null where the line is broken.
  // REQUIRES: '{' stands at `first`, the text's last token is '}', and after it comes the text's
  // size. Objects are read in their order.
  Start read(const Selection& selection, Slots& slots, Start first, std::uint32_t line_end);

  // Of a broken line: where, and whether it was nested too deep.
  std::uint32_t stopped() const { return stopped_; }
  bool too_deep() const { return too_deep_; }

 private:
  using Node = Selection::Node;

  char at(Start token) const { return text_[*token]; }

  Start object(const Node& node, Found* cells, Start next, std::size_t depth);
  Start list(const Node& node, Found* cells, Start next, std::size_t depth);
  Start rows(const Selection& items, Start next, std::size_t depth, std::uint32_t& number);
  Start value(const Node& node, Found* cells, Start next, std::size_t depth);
  Start skip_object(Start next, std::size_t depth);
  Start skip_array(Start next, std::size_t depth);
  Start skip(Start next, std::size_t depth);

  void keep(const Node& node, Found* cells, std::uint32_t begin, const char* end);
  static void forget(const Node& node, Found* cells);
  const Node* child(const Node& node, std::uint32_t begin, std::uint32_t colon);
  const Node* escaped_child(const Node& node, std::uint32_t begin, std::uint32_t end);
  const char* string_end(Start next) const;
  const char* scalar_end(Start token) const;

  Start opened(Start next, std::size_t depth);
  Start closed(Start next);
  Start broken(Start token);

  const char* text_ = nullptr;
  std::uint32_t line_end_ = 0;
  std::uint32_t size_ = 0;
  const std::uint32_t* escape_ = nullptr;  // none before it stands in a key that is still to come
  Slots* slots_ = nullptr;
  std::string key_;
  bool too_deep_ = false;
  std::uint32_t stopped_ = 0;
};

}  // namespace fieldpost
