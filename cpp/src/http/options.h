// Delivery options read out of a compiled destination document. What is absent keeps its default;
// an unknown key, a wrong type or a value out of range is a mistake (E610, E611).
#pragma once

#include "fieldpost/json.h"
#include "fieldpost/policy.h"

namespace fieldpost {

RetryPolicy make_retry_policy(const Json& document);
Limits make_limits(const Json& document);
BreakerPolicy make_breaker_policy(const Json& document);

}  // namespace fieldpost
