#include "mapping/conversion.h"

#include "mapping/failure.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

class ConversionNode final : public Node {
 public:
  ConversionNode(NodePtr value, Convert convert, Failure failure, std::string message)
      : value_(std::move(value)),
        convert_(convert),
        failure_(failure),
        message_(std::move(message)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (value.is_nothing()) return FindingNode::append_found(value, scope, out);
    return convert_(value, out) || write_failure(failure_, message_.c_str(), out);
  }

 private:
  NodePtr value_;
  Convert convert_;
  Failure failure_;
  std::string message_;
};

}  // namespace

NodePtr compile_conversion(Compiler& compiler, const char* directive, const Json& argument,
                           const std::string& path, Convert convert) {
  const bool is_short = !argument.is_object() || has_directive_key(argument);
  const Json wrapped = is_short ? Json{{"value", argument}} : argument;
  const Options options(compiler, directive, wrapped, path, {"value", "on_failure"},
                        Origin::fieldpost);
  if (!options.needs("value") || !options.one_of("on_failure", {"error", "null", "omit"})) {
    return nullptr;
  }
  NodePtr value = is_short ? compiler.compile(argument, path) : options.compile("value");
  return std::make_unique<ConversionNode>(
      std::move(value), convert, failure_of(options, "on_failure"),
      std::string(directive) + ": the value of this event cannot be converted");
}

}  // namespace fieldpost
