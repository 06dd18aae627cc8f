// simdjson's own DOM parser as the judge of a line: whether it is JSON, and what it holds.
//
// What the core takes and the DOM does not is put away first: lone surrogate escapes, numbers
// beyond a double, whole numbers beyond 64 bits.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fieldpost::fuzz {

// The line with "\ufffd" for each lone surrogate escape and 0 for each well-formed number.
std::string softened(std::string_view line);

// The deepest nesting of brackets outside of texts.
std::size_t nesting(std::string_view line);

class Dom {
 public:
  using Element = simdjson::dom::element;

  // Lives until the next parse.
  std::optional<Element> parse(std::string_view line);
  // The same of a text that only has to be JSON once it is softened.
  bool is_json(std::string_view line);

 private:
  simdjson::dom::parser parser_;
  std::string held_;
};

// What a path leads to, by the rules of docs/mapping.md. `known` turns false where they ask for a
// unit of a text, which this does not follow. None: undefined.
std::optional<std::string> followed(Dom::Element from, const std::vector<std::string>& path,
                                    bool& known);

}  // namespace fieldpost::fuzz
