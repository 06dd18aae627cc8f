// What an author says is to happen where a value cannot be used: "on_failure", "on_miss".
#pragma once

#include <cstdint>
#include <string>

#include "mapping/options.h"

namespace fieldpost {

enum class Failure : std::uint8_t { error, null, omit };

// REQUIRES: the option is absent ("error" then) or one of the three words.
Failure failure_of(const Options& options, const char* key);

// Does as the author said: throws EventFault with the message, writes null, or gives undefined.
bool write_failure(Failure failure, const char* message, std::string& out);

}  // namespace fieldpost
