#include "protocol/dynamics/closing.h"

#include <simdjson.h>

namespace fieldpost::dynamics {

std::optional<Closed> closed(const Closing& closing, const Response& response) {
  simdjson::dom::parser parser;
  simdjson::dom::object row;
  std::int64_t state = 0;
  std::int64_t status = 0;
  if (parser.parse(simdjson::padded_string(response.body)).get(row) != simdjson::SUCCESS ||
      row["statecode"].get(state) != simdjson::SUCCESS ||
      row["statuscode"].get(status) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  if (state == 0) return Closed::open;
  const bool so = state == closing.state && (!closing.status || *closing.status == status);
  return so ? Closed::so : Closed::otherwise;
}

Verdict closed_otherwise(const Closing& closing) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::rejected;
  verdict.code = "E423";
  verdict.message = "the " + closing.table + " is closed already, in another way";
  verdict.action_needed = "record: decide which holds; reopen the row, then replay";
  return verdict;
}

}  // namespace fieldpost::dynamics
