// {"@boolean": …}: true from true, 1, "true", "yes", "1"; false from false, 0, "false", "no", "0".
#include <algorithm>
#include <array>

#include "base/letter_case.h"
#include "base/number.h"
#include "base/text.h"
#include "mapping/conversion.h"
#include "mapping/directives.h"

namespace fieldpost {
namespace {

constexpr std::array<std::string_view, 3> kTrue = {"true", "yes", "1"};
constexpr std::array<std::string_view, 3> kFalse = {"false", "no", "0"};

bool convert(Value value, std::string& out) {
  if (value.kind() == Value::Kind::boolean) {
    out += value.token();
    return true;
  }
  if (value.kind() != Value::Kind::string && value.kind() != Value::Kind::number) return false;
  std::string text;
  value.append_text(text);
  const std::string word = to_lower(trim(text));
  const bool yes = std::find(kTrue.begin(), kTrue.end(), word) != kTrue.end();
  if (!yes && std::find(kFalse.begin(), kFalse.end(), word) == kFalse.end()) return false;
  out += yes ? "true" : "false";
  return true;
}

}  // namespace

NodePtr compile_boolean(Compiler& compiler, const Json& argument, const std::string& path) {
  return compile_conversion(compiler, "@boolean", argument, path, convert);
}

}  // namespace fieldpost
