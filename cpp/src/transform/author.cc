#include "transform/author.h"

#include <algorithm>

namespace fieldpost {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string below(const std::string& path, const std::string& key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), is_plain) &&
                     !(key[0] >= '0' && key[0] <= '9') && key[0] != '-';
  return plain ? path + "." + key : path + "[" + Json(key).dump() + "]";
}

void Author::expected(const std::string& expected, const Json& value, const std::string& path,
                      const std::string& hint) {
  std::string got = value.type_name();
  if (value.is_null()) got = "nothing";
  mistake("E241", "expected " + expected + ", got " + got, path, hint);
}

void Author::unknown_keys(const Json& object, const std::vector<std::string>& known,
                          const std::string& what, const std::string& path) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = did_you_mean(key, known);
    std::string hint = "there are ";
    for (const std::string& one : known) hint += (&one == &known.front() ? "" : ", ") + one;
    if (!near.empty()) hint = "did you mean \"" + near + "\"?";
    mistake("E243", what + " has no \"" + key + "\"", below(path, key), hint);
  }
}

Keys Author::dotted(const std::string& text, Form form, const std::string& path) {
  if (form == Form::own && text.starts_with("$")) {
    const std::size_t begin = text.find_first_not_of("$.");
    const std::string meant = begin == std::string::npos ? "" : text.substr(begin);
    mistake("E241", "a transform's path begins with a key of the event, not with $", path,
            "write \"" + meant + "\"");
  }
  return keys_of(text);
}

}  // namespace fieldpost
