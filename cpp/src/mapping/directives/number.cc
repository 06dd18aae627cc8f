// {"@number": …}: a number from a text that holds one, digits and all; true is 1, false 0.
#include "base/number.h"

#include "base/text.h"
#include "mapping/conversion.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

bool convert(Value value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::number:
      out += value.token();
      return true;
    case Value::Kind::boolean:
      out.push_back(value.falsy() ? '0' : '1');
      return true;
    case Value::Kind::string:
      break;
    default:
      return false;
  }
  const std::string text = value.string();
  std::string_view digits = trim(text);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  if (!is_json_number(digits)) return false;
  out += digits;
  return true;
}

}  // namespace

NodePtr compile_number(Compiler& compiler, const Json& argument, const std::string& path) {
  return compile_conversion(compiler, "@number", argument, path, convert);
}

}  // namespace fieldpost
