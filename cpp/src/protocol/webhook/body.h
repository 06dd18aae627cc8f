// A body as its content type wants it: made of the JSON text that the mapping gave.
//
//   application/json, anything +json      the JSON text as it stands
//   application/x-www-form-urlencoded     an object's members: a=1&b=x+y; lists joined by commas
//   application/xml, text/xml, +xml       a text as it stands; an object of one member becomes that
//                                         element ("@name" attributes, "#text", lists repeated)
//   anything else                         a text as it stands, other JSON as its JSON text
#pragma once

#include <string>
#include <string_view>

namespace fieldpost {

// Throws CallFault (E640) where the content type cannot hold this body.
std::string body_for(std::string_view content_type, std::string_view json);

bool is_json_type(std::string_view content_type);

}  // namespace fieldpost
