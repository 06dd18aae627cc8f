// Document -> nodes. Collects every mistake of the document, so that an author sees all at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"
#include "mapping/node.h"

namespace fieldpost {

class Compiler {
 public:
  explicit Compiler(Selection& selection) : selection_(selection) {}

  // Any expression. After a mistake the node may be null; do not run it.
  NodePtr compile(const Json& expression, const std::string& path);
  // The same, where `$.` is an item of a list.
  NodePtr compile_for_item(const Json& expression, const std::string& path);

  Reach reach(Path path);  // what a path means in the scope being compiled

  void mistake(std::string code, std::string message, const std::string& path,
               std::string hint = "");
  std::vector<Mistake> take_mistakes() { return std::move(mistakes_); }

 private:
  NodePtr directive(const Json& object, const std::string& path);
  NodePtr object(const Json& object, const std::string& path);
  NodePtr array(const Json& array, const std::string& path);

  Selection& selection_;
  std::vector<Mistake> mistakes_;
  bool in_item_ = false;
  int depth_ = 0;
};

// An object whose one key (besides _metadata) begins with a single '@'.
bool is_directive(const Json& expression);

// "string", "number", …: the words the messages use.
std::string type_name(const Json& value);

// What `else`, `exists` and the like test in the document itself, before anything is resolved.
bool is_truthy_literal(const Json& value);

}  // namespace fieldpost
