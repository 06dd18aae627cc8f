#include "fieldpost/mapping.h"

#include "mapping/compiler.h"

namespace fieldpost {

Mapping::Mapping(const Json& document, Selection& selection, std::string_view path) {
  Compiler compiler(selection);
  root_ = compiler.compile(document, std::string(path));
  std::vector<Mistake> mistakes = compiler.take_mistakes();
  if (!mistakes.empty()) throw DocumentError(std::move(mistakes));
}

Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;

bool Mapping::render(const Slots& slots, std::string& out) const {
  const std::size_t before = out.size();
  try {
    return root_->write(Scope(slots), out);
  } catch (...) {
    out.resize(before);
    throw;
  }
}

}  // namespace fieldpost
