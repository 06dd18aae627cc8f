#include "fieldpost/array_lines.h"

namespace fieldpost {
namespace {

// Stands for a raw line end inside a text: no line may end there, and neither is valid JSON.
constexpr char kNotAllowed = '\x01';

bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

}  // namespace

void ArrayLines::turn(std::span<char> bytes) {
  for (char& byte : bytes) {
    if (in_text_) {
      if (byte == '\n') byte = kNotAllowed;
      if (escaped_) {
        escaped_ = false;
      } else if (byte == '\\') {
        escaped_ = true;
      } else if (byte == '"') {
        in_text_ = false;
      }
    } else if (depth_ <= 1) {
      outside(byte);
    } else if (byte == '"') {
      in_text_ = true;
    } else if (byte == '{' || byte == '[') {
      ++depth_;
    } else if (byte == '}' || byte == ']') {
      --depth_;
    } else if (byte == '\n') {
      byte = ' ';
    }
    ++offset_;
  }
}

void ArrayLines::outside(char& byte) {
  if (depth_ == 0 && began_) {  // after the end: lines as they stand
    if (!is_space(byte)) found(Fault::after_end);
    return;
  }
  if (is_space(byte)) {
    byte = byte == '\n' ? ' ' : byte;
    return;
  }
  if (!began_) {
    began_ = byte == '[';
    depth_ = 1;
    byte = ' ';
    return;
  }
  if (byte == ',') {
    if (!item_) found(Fault::missing_item);
    item_ = false;
    comma_ = true;
    byte = '\n';
  } else if (byte == ']') {
    if (comma_ && !item_) found(Fault::missing_item);
    depth_ = 0;
    byte = '\n';
  } else {
    item_ = true;
    if (byte == '{' || byte == '[') ++depth_;
    if (byte == '}') depth_ = 1;  // one too many: the item is broken, the array goes on
    in_text_ = byte == '"';
  }
}

void ArrayLines::finish() {
  if (depth_ > 0 || in_text_ || !began_) found(Fault::early_end);
}

void ArrayLines::found(Fault fault) {
  if (fault_ != Fault::none) return;
  fault_ = fault;
  fault_offset_ = offset_;
}

}  // namespace fieldpost
