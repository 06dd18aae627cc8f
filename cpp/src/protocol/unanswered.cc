#include "protocol/unanswered.h"

#include <string>
#include <utility>

namespace fieldpost {

namespace {

Verdict told(Verdict::Kind kind, const char* code, const char* what, const Call& call,
             const Response& response, std::string action_needed = "") {
  Verdict verdict;
  verdict.kind = kind;
  verdict.code = code;
  verdict.message = what + std::string(call.request.host()) + ": " + response.fault_text;
  verdict.action_needed = std::move(action_needed);
  verdict.reason = response.fault_reason;
  verdict.record_id = call.record_id;
  return verdict;
}

}  // namespace

Verdict unanswered(const Call& call, const Response& response, bool send_again) {
  using Kind = Verdict::Kind;
  switch (response.fault) {
    case Fault::unreachable:
      return told(Kind::again, "E501", "cannot connect to ", call, response);
    case Fault::untrusted:
      return told(Kind::pause, "E502", "no trusted connection to ", call, response,
                  response.fault_advice.empty()
                      ? "operator: check the certificate of the destination"
                      : response.fault_advice);
    case Fault::unsent:
      return told(Kind::again, "E504", "nothing was sent to ", call, response);
    case Fault::unprocessed:
      return told(Kind::again, "E506", "the request was not looked at by ", call, response);
    default:
      break;
  }
  if (send_again) return told(Kind::again, "E503", "the answer was lost from ", call, response);
  return told(Kind::unconfirmed, "E503", "the answer was lost from ", call, response,
              "operator: look whether the destination has it, then replay or settle it");
}

}  // namespace fieldpost
