// Records and the batch they travel in: the only thing that passes between plan and dispatch.
//
// All text of a batch lies in one arena; a Span points into it. A batch is filled by one thread and
// read-only afterwards, so it may then be shared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/position.h"

namespace fieldpost {

struct Span {
  std::uint64_t begin = 0;
  std::uint64_t size = 0;
};

// A body to deliver for one (event, subscription). A span of size 0 means "undefined".
struct Record {
  Position position;
  std::uint32_t subscription = 0;
  Span event_id;
  std::uint64_t hash = 0;  // of the event id, as in Filtered
  Span body;               // JSON text
  Span url;                // text, only where the subscription's url is a directive
  Span headers;            // JSON object text, only where a header is a directive
  Span order_key;          // records of one key are delivered in order; size 0: whenever
};

// An (event, subscription) that ends before delivery: "invalid" or "dropped".
struct Ended {
  Position position;
  std::uint32_t subscription = 0;
  Span event_id;
  std::uint64_t hash = 0;
  bool invalid = true;  // else dropped
  std::string code;
  std::string message;  // never holds a value of the event
};

// An event that earlier versions of fieldpost knew by another id: a number as it was written,
// 1001.0 for 1001.
struct FormerId {
  Span event_id;
  Span former;
};

// Events of one subscription that its filter refused. `hashes` has one 64-bit hash of the event id
// for each, so that a ledger can count an event once however often it was read.
struct Filtered {
  std::vector<std::uint64_t> hashes;
};

// How many events of one subscription ended in which way.
struct Tally {
  std::uint64_t records = 0;
  std::uint64_t filtered = 0;
  std::uint64_t dropped = 0;
  std::uint64_t invalid = 0;
};

struct Batch {
  std::string source;
  std::string arena;
  std::uint64_t received = 0;  // events read (lines that are not blank)
  std::uint64_t by_place = 0;  // of them, those that only their place in a source tells apart
  std::vector<Record> records;
  std::vector<Ended> ended;
  std::vector<Filtered> filtered;  // by subscription
  std::vector<FormerId> former;    // of the events, each once

  // The bodies of one subscription, or of all, as lines; records without a body are left out.
  std::string bodies(std::optional<std::uint32_t> subscription) const;
  std::vector<Tally> tallies() const;  // by subscription
  // The records and endings of these events of a subscription go by the former id from now on: it
  // is the one that its ledger knows. Only before the batch is shared.
  void go_by_former(std::uint32_t subscription, const std::vector<std::string>& event_ids);
  // Those lines of the source that ended as invalid did so for its reasons (E409).
  void explain(const std::vector<Note>& notes);

  std::string_view text(Span span) const {
    return std::string_view(arena).substr(span.begin, span.size);
  }
  Span keep(std::string_view text) {
    const Span span{arena.size(), text.size()};
    arena.append(text);
    return span;
  }
};

// How many different hashes the arrays (of native 64-bit words) hold together, those of `without`
// left out.
std::size_t distinct_hashes(const std::vector<std::string_view>& arrays, std::string_view without);

}  // namespace fieldpost
