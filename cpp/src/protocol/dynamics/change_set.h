// Writes of several rows that take effect together or not at all: one $batch request with one
// change set in it, and what its answer says of each part.
//
// Format: "Execute batch operations using the Web API" and OData 4.0, Protocol, 11.7. The line ends
// are CRLF throughout, the one after the last boundary included; Content-IDs count from 1.
#pragma once

#include <string>
#include <vector>

#include "fieldpost/message.h"

namespace fieldpost::dynamics {

// One write.
struct Part {
  std::string method;
  std::string path;  // behind the path of the API: "accounts(…)?$select=accountid"
  std::vector<Header> headers;
  std::string body;  // "" for none
};

// `api` ends with "/"; `id` is a UUID of this call, which the boundaries are made of. Headers of
// the request itself are the caller's to add.
Request change_set(const std::vector<Part>& parts, const std::string& api, const std::string& id);

struct PartAnswer {
  std::size_t part = 0;  // counted from 1; 0 where the answer does not say
  Response response;
};

// What an answer says of the parts: of each where all were done, else of the one that failed. The
// answer itself, of part 0, where it is no multipart.
std::vector<PartAnswer> change_set_answers(const Response& response);

}  // namespace fieldpost::dynamics
