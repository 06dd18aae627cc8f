// {"@boolean": …}: true from true, 1, "true", "yes", "1"; false from false, 0, "false", "no", "0".
#include "base/truth.h"
#include "mapping/conversion.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

bool convert(Value value, std::string& out) {
  if (value.kind() == Value::Kind::boolean) {
    out += value.token();
    return true;
  }
  if (value.kind() != Value::Kind::string && value.kind() != Value::Kind::number) return false;
  std::string text;
  value.append_text(text);
  const std::optional<bool> truth = truth_of(text);
  if (!truth) return false;
  out += *truth ? "true" : "false";
  return true;
}

}  // namespace

NodePtr compile_boolean(Compiler& compiler, const Json& argument, const std::string& path) {
  return compile_conversion(compiler, "@boolean", argument, path, convert);
}

}  // namespace fieldpost
