// What a request without a whole answer means, for every protocol alike.
#pragma once

#include "fieldpost/protocol.h"

namespace fieldpost {

// `send_again`: a second sending does no harm, or its harm was accepted (on_unconfirmed: resend).
// REQUIRES: response.fault != Fault::none.
Verdict unanswered(const Call& call, const Response& response, bool send_again);

}  // namespace fieldpost
