// Whether the table knows the names in a body, asked of the service itself.
//
// One code stands for a name that there is not and for a value that does not fit. The one is a
// mistake of the mapping, which every event repeats; the other may be of this event alone. A read
// of no row by the same names tells: names are looked at before the row is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/dynamics/tables.h"

namespace fieldpost::dynamics {

// How an object is asked for under a name that no navigation property is known by: an event may
// give one where a column takes a text, and an environment may have properties of its own.
enum class Unknown : std::uint8_t { column, row };

// "accounts(00000000-…)?$select=name&$expand=primarycontactid($select=lastname)"; "" where the body
// is none of a row. `path`: of the write, "accounts" or "accounts(…)".
std::string names_question(std::string_view path, std::string_view body, const Tables& tables,
                           Unknown unknown);

}  // namespace fieldpost::dynamics
