#include "fieldpost/mapping.h"

#include "event/selection.h"
#include "mapping/compiler.h"
#include "mapping/writer.h"

namespace fieldpost {
namespace {

std::shared_ptr<const PathUses> finish(Compiler& compiler, std::vector<Mistake>& warnings) {
  std::vector<Mistake> mistakes = compiler.take_mistakes();
  if (!mistakes.empty()) throw DocumentError(std::move(mistakes));
  warnings = compiler.take_warnings();
  return std::make_shared<const PathUses>(compiler.take_uses());
}

// A body may be any value; only an object can have a root directive.
NodePtr compile_part(Compiler& compiler, const Json& document, const std::string& path) {
  return document.is_object() ? compiler.compile_whole(document, path)
                              : compiler.compile(document, path);
}

}  // namespace

Mapping::Mapping() = default;

Mapping::Mapping(const Json& document, Selection& selection, std::string_view path) {
  Compiler compiler(selection);
  root_ = compile_part(compiler, document, std::string(path));
  uses_ = finish(compiler, warnings_);
}

Mapping Mapping::whole(const Json& document, Selection& selection) {
  Mapping mapping;
  Compiler compiler(selection);
  mapping.root_ = compiler.compile_whole(document, "$");
  mapping.uses_ = finish(compiler, mapping.warnings_);
  return mapping;
}

Mapping Mapping::url(const Json& document, Selection& selection, std::string_view path) {
  Mapping mapping;
  Compiler compiler(selection, true);
  mapping.root_ = compiler.compile(document, std::string(path));
  mapping.uses_ = finish(compiler, mapping.warnings_);
  return mapping;
}

Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;

Findings check_mapping(const Json& document, std::string_view path) {
  Selection selection;
  Compiler compiler(selection);
  compile_part(compiler, document, std::string(path));
  return {compiler.take_mistakes(), compiler.take_warnings()};
}

bool Mapping::render(const Slots& slots, std::string& out) const {
  Writer writer(out);
  return render(slots, writer);
}

bool Mapping::render(const Slots& slots, Writer& writer) const {
  const std::size_t before = writer.size();
  try {
    if (root_->put(Scope(slots.event()), writer)) return true;
    writer.cut(before);
    return false;
  } catch (...) {
    writer.cut(before);
    throw;
  }
}

}  // namespace fieldpost
