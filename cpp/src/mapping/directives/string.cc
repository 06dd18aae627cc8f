// {"@string": …}: a text from a number (its own digits, also beyond 2^53; a whole number has one
// text however it is written) or from true and false.
#include "base/number.h"
#include "mapping/conversion.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

bool convert(Value value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::string:
      out += value.token();
      return true;
    case Value::Kind::number:
      out.push_back('"');
      out += is_whole_number(value.token()) ? number_key(value.token()) : value.token();
      out.push_back('"');
      return true;
    case Value::Kind::boolean:
      out.push_back('"');
      out += value.token();
      out.push_back('"');
      return true;
    default:
      return false;
  }
}

}  // namespace

NodePtr compile_string(Compiler& compiler, const Json& argument, const std::string& path) {
  return compile_conversion(compiler, "@string", argument, path, convert);
}

}  // namespace fieldpost
