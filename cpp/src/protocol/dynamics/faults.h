// What Dataverse means when it refuses: one table of (status, code), never of message texts, which
// are translated and change. Source: Microsoft's Web service error codes and published captures.
#pragma once

#include <string>

#include "fieldpost/protocol.h"

namespace fieldpost {

// Said of a body where a name in it, or a value, does not fit the table; not which of the two.
inline constexpr const char* kWrongPayload = "0x80048d19";
inline constexpr const char* kLacksPrivilege = "0x80040220";
inline constexpr const char* kUnnumbered = "0x0";  // older servers

// The error object of an answer, whatever its shape. `code` is "0x" and eight hex digits, "0x0", or
// a word of the service, or "" where there is none; `message` is one line of at most 500 bytes.
struct ServiceError {
  std::string code;
  std::string message;
};

ServiceError read_service_error(const Response& response);

// The verdict on an answered write that did not succeed, of which `error` was read. `client_id` may
// be "". A verdict of kind verify comes without its question.
Verdict meaning_of(const ServiceError& error, const Response& response,
                   const std::string& client_id, double now_s);

}  // namespace fieldpost
