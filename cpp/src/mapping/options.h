// The object of options that a directive takes: {"@case": {"operator": "lower", "value": …}}.
//
// What is checked is what the reference checks. It lets unknown options pass, so they are a
// warning; of fieldpost's own directives they are a mistake.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/compiler.h"

namespace fieldpost {

enum class Origin : std::uint8_t { segment, fieldpost };

class Options {
 public:
  Options(Compiler& compiler, std::string_view directive, const Json& argument,
          const std::string& path, std::initializer_list<const char*> known,
          Origin origin = Origin::segment);

  // False where the argument is no object of options: a mistake was told.
  explicit operator bool() const { return is_object_; }

  bool has(const char* key) const { return argument_.contains(key); }
  const Json& operator[](const char* key) const { return argument_.at(key); }
  bool is_truthy(const char* key) const;                  // as a literal; an absent one is not
  bool is(const char* key, std::string_view text) const;  // there, and that text
  std::string at(const char* key) const { return path_ + "." + key; }

  NodePtr compile(const char* key) const;  // null where it is absent
  // A literal that is falsy counts as absent and gives undefined.
  NodePtr compile_truthy(const char* key) const;

  // Each tells a mistake and gives false where it does not hold.
  bool needs(const char* key, const std::string& hint = "") const;
  bool needs_truthy(const char* key, const std::string& hint = "") const;
  bool text(const char* key) const;               // a text, or absent
  bool text_or_directive(const char* key) const;  // or absent; only where the reference looks
  bool one_of(const char* key, std::initializer_list<const char*> allowed) const;

  void wrong(const char* key, const std::string& expected) const;
  void missing(const std::string& what, const std::string& hint) const;

 private:
  void tell_unknown(bool as_mistakes) const;

  Compiler& compiler_;
  std::string directive_;
  const Json& argument_;
  const std::string& path_;
  std::vector<std::string> known_;
  bool is_object_;
};

}  // namespace fieldpost
