#include <stdexcept>

#include "fieldpost/error.h"
#include "fieldpost/protocol.h"
#include "protocol/dynamics/dynamics.h"
#include "protocol/reading.h"
#include "protocol/webhook/webhook.h"

namespace fieldpost {

Call Protocol::combine(const std::vector<const Call*>&) const {
  throw std::logic_error("this protocol sends records one by one");
}

std::vector<Verdict> Protocol::decode_each(const Call& combined,
                                           const std::vector<const Call*>& calls,
                                           const Response& response, double now_s) const {
  return std::vector<Verdict>(calls.size(), decode(combined, response, now_s));
}

std::unique_ptr<Protocol> make_protocol(const Json& document, const CompileRule& compile) {
  Reading reading;
  const std::string type = reading.text(document, "type", "$.protocol");
  reading.finish();
  if (type == "dynamics365") return std::make_unique<Dynamics>(document);
  if (type == "webhook") return std::make_unique<Webhook>(document, compile);
  const std::string near = did_you_mean(type, {"dynamics365", "webhook"});
  throw DocumentError(
      {{"E612", "unknown destination type \"" + type + "\"", "$.protocol.type",
        near.empty() ? "known are dynamics365 and webhook" : "did you mean \"" + near + "\"?"}});
}

}  // namespace fieldpost
