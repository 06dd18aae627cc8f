// Document -> nodes. Collects every mistake of the document, so that an author sees all at once.
//
// The reference checks a mapping before it runs it, but does not look inside lists and literals;
// there an object with "@x" beside other keys is copied as it stands, and of several directives the
// first runs. looks_closely() is true where it does look.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"
#include "fieldpost/mapping.h"
#include "mapping/node.h"
#include "mapping/path_uses.h"

namespace fieldpost {

class Compiler {
 public:
  explicit Compiler(Selection& selection, Use use = Use::body)
      : event_(selection), selection_(&selection), use_(use) {}

  // Any expression. After a mistake the node may be null; do not run it.
  NodePtr compile(const Json& expression, const std::string& path);
  // Compiles a part that is copied unless it is a directive; only a directive is looked at closely.
  NodePtr compile_loosely(const Json& expression, const std::string& path);
  // A literal's argument: no text of it is suspected to be meant as a path or a template.
  NodePtr compile_meant(const Json& expression, const std::string& path);
  // A mapping of its own: an object, with the rules for the root of a document.
  NodePtr compile_whole(const Json& document, const std::string& path);
  // What something is identified by, wherever it stands.
  NodePtr compile_key(const Json& expression, const std::string& path);
  // Where `$.` is an item of the list in `slot`; an item may also turn out to be any other value.
  NodePtr compile_for_item(const Json& expression, const std::string& path, std::uint32_t slot);
  // Where `$.` is the value that `computed` gives, or each item of it; it lives as long as the
  // mapping.
  NodePtr compile_for_value(const Json& expression, const std::string& path, const Node* computed);
  NodePtr compile_for_value_item(const Json& expression, const std::string& path,
                                 const Node* computed);

  // What a path means in the scope being compiled.
  Reach reach(Path path, Taken taken = Taken::as_value);
  Reach event_reach(Path path);  // the same, from the event
  bool reads_rows() const { return selection_ != nullptr; }
  Selection& selection() { return *selection_; }  // REQUIRES: reads_rows()

  bool looks_closely() const { return looks_closely_; }
  // How numbers become texts where the document is compiled.
  Digits digits() const { return use_ == Use::body ? Digits::of_double : Digits::own; }

  void mistake(std::string code, std::string message, const std::string& path,
               std::string hint = "");
  // Something that works as in the reference but surprises; `hint` is the clean way to write it.
  void warn(std::string code, std::string message, const std::string& path, std::string hint);

  std::vector<Mistake> take_mistakes() { return std::move(mistakes_); }
  std::vector<Mistake> take_warnings() { return std::move(warnings_); }
  PathUses take_uses() { return std::move(uses_); }

 private:
  NodePtr compile_with(Selection* selection, UseScope scope, const Json& expression,
                       const std::string& path);
  NodePtr directive(const Json& object, const std::string& path);
  NodePtr object(const Json& object, const std::string& path);
  NodePtr list(const Json& array, const std::string& path);
  NodePtr root_directive(const Json& document, const std::string& path);

  Path within_reach(Path path);
  void note(const Reach& reach, std::uint32_t scope, Taken taken);

  Selection& event_;
  Selection* selection_;  // null where `$.` is a computed value
  std::vector<Mistake> mistakes_;
  std::vector<Mistake> warnings_;
  bool looks_closely_ = true;
  bool texts_are_meant_ = false;
  Use use_;
  int depth_ = 0;
  std::string place_;  // of the directive that is being compiled
  PathUses uses_;
  std::uint32_t scope_ = 0;  // of uses_, the one being compiled
};

// An object with a key that begins with a single '@'.
bool has_directive_key(const Json& expression);

// Where a member of what stands at `path` stands: `$.a.b`, `$.a["b.c"]`.
std::string member_path(const std::string& path, std::string_view key);

// "string", "number", …: the words the messages use.
std::string type_name(const Json& value);

// What `else`, `exists` and the like test in the document itself, before anything is resolved.
bool is_truthy_literal(const Json& value);

}  // namespace fieldpost
