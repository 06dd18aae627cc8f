// What is told to the author of a list of transforms, and the checks that several of them share.
#pragma once

#include <string>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"
#include "transform/tree.h"

namespace fieldpost {

// Whose words a transform is written in: ours (`- drop_properties: …`), or Segment's own object
// (`{type, config}`), which is taken as its evaluator takes it.
enum class Form : std::uint8_t { own, segment };

class Author {
 public:
  void mistake(std::string code, std::string message, std::string path, std::string hint = "") {
    mistakes_.push_back({std::move(code), std::move(message), std::move(path), std::move(hint)});
  }
  void warn(std::string code, std::string message, std::string path, std::string hint) {
    warnings_.push_back({std::move(code), std::move(message), std::move(path), std::move(hint)});
  }

  // Tells a value of the wrong type; `expected` begins with an article.
  void expected(const std::string& expected, const Json& value, const std::string& path,
                const std::string& hint = "");
  // Tells each key of `object` that is not in `known`.
  void unknown_keys(const Json& object, const std::vector<std::string>& known,
                    const std::string& what, const std::string& path);
  // The keys of a dotted path; in our own form a path from "$" is told.
  Keys dotted(const std::string& text, Form form, const std::string& path);

  std::vector<Mistake> take_mistakes() { return std::move(mistakes_); }
  std::vector<Mistake> take_warnings() { return std::move(warnings_); }

 private:
  std::vector<Mistake> mistakes_;
  std::vector<Mistake> warnings_;
};

// A step further down in a document's path: `.name`, or `["a.b"]`.
std::string below(const std::string& path, const std::string& key);

}  // namespace fieldpost
