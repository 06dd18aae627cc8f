#include "plan/integrations.h"

#include <utility>

namespace fieldpost {

Integrations::Integrations(std::string name, Selection& selection)
    : name_(std::move(name)), slot_(selection.slot({"integrations"})) {}

bool Integrations::excludes(const Slots& slots) const {
  std::string scratch;
  const Value given = slots.value(slot_, scratch);
  if (given.kind() != Value::Kind::object) return false;
  const Value own = given.step(name_, scratch);
  if (!own.is_nothing()) return own.falsy();
  return given.step("All", scratch).token() == "false";
}

}  // namespace fieldpost
