#include "mapping/options.h"

#include <algorithm>

#include "mapping/shape.h"

namespace fieldpost {

Options::Options(Compiler& compiler, std::string_view directive, const Json& argument,
                 const std::string& path, std::initializer_list<const char*> known, Origin origin)
    : compiler_(compiler),
      directive_(directive),
      argument_(argument),
      path_(path),
      known_(known.begin(), known.end()),
      is_object_(argument.is_object() && !has_directive_key(argument)) {
  if (!is_object_) {
    std::string names;
    for (const std::string& one : known_) names += (names.empty() ? "\"" : ", \"") + one + "\"";
    compiler.mistake("E203",
                     directive_ + " expects an object with " + names + ", got " +
                         (argument.is_object() ? "a directive" : type_name(argument)),
                     path);
    return;
  }
  tell_unknown(origin == Origin::fieldpost);
}

void Options::tell_unknown(bool as_mistakes) const {
  for (const auto& [key, value] : argument_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = did_you_mean(key, known_);
    const std::string at = member_path(path_, key);
    std::string message = directive_ + " has no option \"" + key + "\"";
    std::string hint = near.empty() ? "" : "did you mean \"" + near + "\"?";
    if (as_mistakes) {
      compiler_.mistake("E204", std::move(message), at, std::move(hint));
    } else {
      compiler_.warn("E204", std::move(message), at, std::move(hint));
      if (compiler_.looks_closely()) compiler_.compile(value, at);
    }
  }
}

void Options::missing(const std::string& what, const std::string& hint) const {
  tell_unknown(true);
  compiler_.mistake("E205", directive_ + " needs " + what, path_, hint);
}

bool Options::is_truthy(const char* key) const {
  return has(key) && is_truthy_literal((*this)[key]);
}

bool Options::is(const char* key, std::string_view text) const {
  return has(key) && (*this)[key].is_string() && (*this)[key].get_ref<const std::string&>() == text;
}

NodePtr Options::compile(const char* key) const {
  return has(key) ? compiler_.compile((*this)[key], at(key)) : nullptr;
}

NodePtr Options::compile_truthy(const char* key) const {
  return is_truthy(key) ? compile(key) : nothing();
}

bool Options::needs(const char* key, const std::string& hint) const {
  if (!has(key)) missing("\"" + std::string(key) + "\"", hint);
  return has(key);
}

bool Options::needs_truthy(const char* key, const std::string& hint) const {
  if (!needs(key, hint)) return false;
  if (is_truthy(key)) return true;
  compiler_.mistake("E205",
                    directive_ + " needs \"" + key + "\", and a literal " + (*this)[key].dump() +
                        " counts as none",
                    path_, hint);
  return false;
}

void Options::wrong(const char* key, const std::string& expected) const {
  const std::string got = has_directive_key((*this)[key]) ? "a directive" : type_name((*this)[key]);
  compiler_.mistake("E203", directive_ + " expects " + expected + " as \"" + key + "\", got " + got,
                    at(key));
}

bool Options::text(const char* key) const {
  if (!has(key) || (*this)[key].is_string()) return true;
  wrong(key, "a text");
  return false;
}

bool Options::text_or_directive(const char* key) const {
  if (!compiler_.looks_closely() || !has(key) || has_directive_key((*this)[key])) return true;
  if ((*this)[key].is_string()) return true;
  wrong(key, "a text or a directive");
  return false;
}

bool Options::one_of(const char* key, std::initializer_list<const char*> allowed) const {
  if (!has(key)) return true;
  std::vector<std::string> words(allowed.begin(), allowed.end());
  const Json& value = (*this)[key];
  if (value.is_string() &&
      std::find(words.begin(), words.end(), value.get<std::string>()) != words.end()) {
    return true;
  }
  std::string expected;
  for (const std::string& word : words)
    expected += (expected.empty() ? "\"" : " or \"") + word + "\"";
  if (!value.is_string()) {
    wrong(key, expected);
    return false;
  }
  const std::string near = did_you_mean(value.get<std::string>(), words);
  compiler_.mistake(
      "E203", directive_ + " expects " + expected + " as \"" + key + "\", got " + value.dump(),
      at(key), near.empty() ? "" : "did you mean \"" + near + "\"?");
  return false;
}

}  // namespace fieldpost
