// {"@case": {"operator": "lower", "value": …}}: upper or lower case; what is no text stays as it
// is.
#include <span>

#include "base/letter_case.h"
#include "base/text.h"
#include "fieldpost/mapping.h"
#include "mapping/directives.h"
#include "mapping/options.h"

namespace fieldpost {
namespace {

enum class Letters : std::uint8_t { lower, upper, unknown };

// Without a branch inside, so that many bytes are looked at as one.
bool is_plain_ascii(std::string_view inside) {
  unsigned other = 0;
  for (const char c : inside) {
    other |= (static_cast<unsigned char>(c) & 0x80U) | static_cast<unsigned>(c == '\\');
  }
  return other == 0;
}

void change(std::span<char> text, Letters letters) {
  const char first = letters == Letters::lower ? 'A' : 'a';
  for (char& c : text) {
    const bool is_letter = static_cast<unsigned char>(c - first) < 26;
    c = static_cast<char>(c ^ (is_letter ? 0x20 : 0));
  }
}

class CaseNode final : public PuttingNode {
 public:
  CaseNode(Letters letters, NodePtr value) : letters_(letters), value_(std::move(value)) {}

  bool put(const Scope& scope, Writer& writer) const override {
    std::string scratch;
    const Value value = value_->value(scope, scratch);
    if (!value.is_string()) {
      return writer.in_string(
          [&](std::string& out) { return FindingNode::append_found(value, scope, out); });
    }
    if (letters_ == Letters::unknown) {
      throw EventFault{"E407", "@case knows the operators \"lower\" and \"upper\" only"};
    }
    if (is_plain_ascii(value.inside())) {
      change(writer.put_copy(value.token()), letters_);
      return true;
    }
    return writer.in_string([&](std::string& out) {
      const std::string text = value.string();
      append_json_string(letters_ == Letters::lower ? to_lower(text) : to_upper(text), out);
      return true;
    });
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
