#include "mapping/failure.h"

#include "fieldpost/mapping.h"

namespace fieldpost {

Failure failure_of(const Options& options, const char* key) {
  if (!options.has(key) || options.is(key, "error")) return Failure::error;
  return options.is(key, "null") ? Failure::null : Failure::omit;
}

bool write_failure(Failure failure, const char* message, std::string& out) {
  if (failure == Failure::error) throw EventFault{"E407", message};
  if (failure == Failure::null) out += "null";
  return failure == Failure::null;
}

}  // namespace fieldpost
