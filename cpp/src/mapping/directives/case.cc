// {"@case": {"operator": "lower", "value": …}}: upper or lower case; what is no text stays as it
// is.
#include <algorithm>

#include "base/letter_case.h"
#include "base/text.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

enum class Letters : std::uint8_t { lower, upper, unknown };

bool is_plain_ascii(std::string_view inside) {
  return !std::any_of(inside.begin(), inside.end(),
                      [](char c) { return c == '\\' || static_cast<unsigned char>(c) >= 0x80; });
}

char changed(char c, Letters letters) {
  if (letters == Letters::lower) return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
}

class CaseNode final : public Node {
 public:
  CaseNode(Letters letters, NodePtr value) : letters_(letters), value_(std::move(value)) {}

  bool write(const Scope& scope, std::string& out) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (!value.is_string()) return FindingNode::append_found(value, scope, out);
    if (letters_ == Letters::unknown) {
      throw EventFault{"E407", "@case knows the operators \"lower\" and \"upper\" only"};
    }
    if (is_plain_ascii(value.inside())) {
      const std::size_t begin = out.size();
      out += value.token();
      for (std::size_t at = begin; at < out.size(); ++at) out[at] = changed(out[at], letters_);
    } else {
      const std::string text = value.string();
      append_json_string(letters_ == Letters::lower ? to_lower(text) : to_upper(text), out);
    }
    return true;
  }

 private:
  Letters letters_;
  NodePtr value_;
};

Letters letters_of(const Options& options) {
  if (options.is("operator", "lower")) return Letters::lower;
  return options.is("operator", "upper") ? Letters::upper : Letters::unknown;
}

}  // namespace

NodePtr compile_case(Compiler& compiler, const Json& argument, const std::string& path) {
  const Options options(compiler, "@case", argument, path, {"operator", "value"});
  if (!options) return nullptr;
  if (!options.needs_truthy("operator", "\"lower\" or \"upper\"")) return nullptr;
  if (compiler.looks_closely() && !options.text("operator")) return nullptr;
  if (!options.text_or_directive("value")) return nullptr;
  const Letters letters = letters_of(options);
  if (letters == Letters::unknown) {
    compiler.warn("E228",
                  "@case knows \"lower\" and \"upper\" only; any other operator fails at the "
                  "first text",
                  options.at("operator"), "write \"lower\" or \"upper\"");
  }
  return std::make_unique<CaseNode>(letters, options.compile_truthy("value"));
}

}  // namespace fieldpost
