// What an author got wrong in a document (a filter, a mapping, a destination).
//
// A Mistake is about the text somebody wrote; what is wrong with one event is an outcome and never
// an exception (see record.h). All mistakes of a document travel together in one DocumentError.
#pragma once

#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fieldpost {

struct Mistake {
  std::string code;     // "E203"; the list is in docs/errors.md, a released number is never reused
  std::string message;  // what is wrong and what was expected
  std::string path;     // where in the document: "$.email"
  std::string hint;     // may be empty
  std::size_t begin = 0;  // half-open span of characters in a filter's text; begin == end: none
  std::size_t end = 0;
};

// Everything that is to be said of a document: its warnings also where it has mistakes.
struct Findings {
  std::vector<Mistake> mistakes;
  std::vector<Mistake> warnings;
};

class DocumentError : public std::exception {
 public:
  explicit DocumentError(std::vector<Mistake> mistakes);
  const std::vector<Mistake>& mistakes() const noexcept { return mistakes_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Mistake> mistakes_;
  std::string text_;
};

// The candidate nearest to `word`, or "" where none is near enough to be what was meant.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace fieldpost
