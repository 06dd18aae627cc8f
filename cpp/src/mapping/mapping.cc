#include "fieldpost/mapping.h"

#include <utility>

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

// What Segment keeps among the fields of a mapping to steer its own batches and syncs.
bool steers_segment(const std::string& key) {
  return key == "enable_batching" || key == "batch_size" || key == "batch_keys" ||
         key == "batch_bytes" ||
         (key.starts_with("__segment_internal_") && key != "__segment_internal_directive");
}

void warn_of_controls(Compiler& compiler, const Json& document, const std::string& path) {
  if (!document.is_object()) return;
  for (const auto& [key, value] : document.items()) {
    if (!steers_segment(key)) continue;
    compiler.warn("E239", "\"" + key + "\" steers Segment itself; here it is sent with the body",
                  member_path(path, key),
                  "leave it out; batches are made by `batch` of the destination");
  }
}

// A body may be any value; only an object can have a root directive.
NodePtr compile_part(Compiler& compiler, const Json& document, const std::string& path) {
  if (compiler.digits() == Digits::of_double) warn_of_controls(compiler, document, path);
  return document.is_object() ? compiler.compile_whole(document, path)
                              : compiler.compile(document, path);
}

}  // namespace

Mapping::Mapping() = default;

Mapping::Mapping(const Json& document, Selection& selection, std::string_view path, Use use) {
  Compiler compiler(selection, use);
  root_ = compile_part(compiler, document, std::string(path));
  uses_ = finish(compiler, warnings_);
}

Mapping Mapping::whole(const Json& document, Selection& selection) {
  Mapping mapping;
  Compiler compiler(selection);
  warn_of_controls(compiler, document, "$");
  mapping.root_ = compiler.compile_whole(document, "$");
  mapping.uses_ = finish(compiler, mapping.warnings_);
  return mapping;
}

Mapping::~Mapping() = default;
Mapping::Mapping(Mapping&&) noexcept = default;
Mapping& Mapping::operator=(Mapping&&) noexcept = default;

Findings check_mapping(const Json& document, std::string_view path, Use use) {
  Selection selection;
  Compiler compiler(selection, use);
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
  } catch (EventFault& fault) {
    writer.cut(before);
    if (!fault.place.empty()) fault.message += " at $" + std::exchange(fault.place, "");
    throw;
  } catch (...) {
    writer.cut(before);
    throw;
  }
}

}  // namespace fieldpost
