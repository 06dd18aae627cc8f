// The value of a term while a filter runs, and the room for texts that had to be computed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "event/value.h"

namespace fieldpost {

struct Datum {
  // nothing: null, or no value at all.
  enum class Kind : std::uint8_t { nothing, boolean, number, string, list, object };
  Kind kind = Kind::nothing;
  bool truth = false;
  double number = 0;
  // A number with every digit, for dialects that compare them; "" where its double is what counts.
  std::string_view digits;
  bool by_digits = false;  // of a list or an object: its numbers are compared by their digits
  std::string_view text;   // of a string, without escapes
  Value value;             // of a list or an object
};

inline Datum datum(bool truth) {
  Datum datum;
  datum.kind = Datum::Kind::boolean;
  datum.truth = truth;
  return datum;
}
inline Datum datum(double number) {
  Datum datum;
  datum.kind = Datum::Kind::number;
  datum.number = number;
  return datum;
}
// `digits` has to live as long as the datum.
inline Datum datum(double number, std::string_view digits) {
  Datum datum;
  datum.kind = Datum::Kind::number;
  datum.number = number;
  datum.digits = digits;
  return datum;
}
inline Datum datum(std::string_view text) {
  Datum datum;
  datum.kind = Datum::Kind::string;
  datum.text = text;
  return datum;
}

// Strings whose memory is used again for the next event. A text stays where it is until then.
class Texts {
 public:
  void clear() { used_ = 0; }
  std::string& next() {
    if (used_ == texts_.size()) texts_.push_back(std::make_unique<std::string>());
    texts_[used_]->clear();
    return *texts_[used_++];
  }

 private:
  std::vector<std::unique_ptr<std::string>> texts_;
  std::size_t used_ = 0;
};

// Until `visit` says false. REQUIRES: `list` is an array.
template <typename Visit>
void each_element(Value list, Visit visit) {
  Elements elements(list);
  for (Value element; elements.next(element) && visit(element);) {
  }
}

// Which numbers are the same: Segment's evaluators compare doubles, fieldpost's own dialect digits.
enum class Numbers : std::uint8_t { doubles, digits };

// A JSON value of an event as datum.
Datum datum_of(Value value, Texts& texts, Numbers numbers);

}  // namespace fieldpost
