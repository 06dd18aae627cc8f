// Several records in one request: how their bodies become one, and what one answer says of each.
//
// {"max_records": 100, "max_bytes": 1000000, "open": "[", "close": "]",
//  "verdicts": ["results"], "status": "status", "always": false}
//
// The body is `open`, the records' bodies with commas between, `close`. Where the answer is a 207
// (or any 2xx where `always` is set), the list at `verdicts` (keys from the root) has an object for
// each record in their order, whose member `status` decides as an HTTP status would.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/json.h"

namespace fieldpost {

class Reading;

struct Batching {
  std::size_t max_records = 1;
  std::size_t max_bytes = 1000000;
  std::string open = "[";
  std::string close = "]";
  std::vector<std::string> verdicts;
  std::string status = "status";
  bool always = false;
};

// One record's part of an answer.
struct RecordAnswer {
  int status = 0;
  std::string message;
};

Batching read_batching(const Json& document, const std::string& path, Reading& reading);

std::string joined(const Batching& batching, const std::vector<std::string_view>& bodies);

// In the order of the records; none where the answer does not tell of exactly `count` records.
std::optional<std::vector<RecordAnswer>> record_answers(const Batching& batching,
                                                        std::string_view body, std::size_t count);

// True where a list of it, or of one of its members, has an entry whose `status` is a refusal.
bool tells_of_failure(std::string_view body);

}  // namespace fieldpost
