// A compiled document: event -> JSON text. Immutable; share it between threads.
//
// Meaning: Segment's mapping kit (docs/mapping.md). The document's mistakes are found when it is
// compiled; an event can then only make a render fail by a value that a directive cannot use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"

namespace fieldpost {

class Selection;
class Slots;
class Node;
class Writer;
struct PathUses;

// The use of a text that a mapping makes. A body means what Segment's engine makes of it; what
// identifies something (addresses, headers, keys) keeps every digit of a number, also beyond 2^53,
// in directives that make a text of it.
enum class Use : std::uint8_t {
  body,
  address,  // what a template puts in is percent-encoded
  key,
};

class Mapping {
 public:
  // Adds the paths it reads to `selection`, which must outlive it. `path` is where the document
  // stands in a larger one ("$.subscriptions[0].body"). Throws DocumentError with every mistake.
  Mapping(const Json& document, Selection& selection, std::string_view path = "$",
          Use use = Use::body);
  // A document that stands for itself, with Segment's rules for the root of a mapping.
  static Mapping whole(const Json& document, Selection& selection);
  ~Mapping();
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;

  // Appends the body to `out`; false (and nothing appended) where the whole is undefined.
  // Throws EventFault where this event cannot be mapped.
  bool render(const Slots& slots, std::string& out) const;
  bool render(const Slots& slots, Writer& writer) const;

  // What works as in Segment's engine but surprises, each with the clean way to write it.
  const std::vector<Mistake>& warnings() const { return warnings_; }
  // The paths it reads; null of a mapping that was moved from.
  const std::shared_ptr<const PathUses>& uses() const { return uses_; }

 private:
  Mapping();

  std::unique_ptr<const Node> root_;
  std::vector<Mistake> warnings_;
  std::shared_ptr<const PathUses> uses_;
};

// What an author should know of a document that stands at `path` of a larger one.
Findings check_mapping(const Json& document, std::string_view path, Use use);

// This event cannot be mapped. In a stream it becomes an `invalid` outcome.
struct EventFault {
  std::string code;
  std::string message;  // never holds a value of the event
  std::string place{};  // of the member of the body, ".a.b[0]"; said by the message in the end
};

}  // namespace fieldpost
