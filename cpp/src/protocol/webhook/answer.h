// A subscription's own reading of answers: which of them are a success, and where the words of a
// refusal stand.
//
// {"success": {"text", "dialect"}, "message": a mapping}, each optional. Both are about the object
// {"status": 200, "headers": {name in lower case: text}, "body": …}, whose body is JSON's value
// where the answer is JSON, else its text, null where it is empty. Immutable; share it between
// threads.
#pragma once

#include <string>

#include "fieldpost/json.h"
#include "fieldpost/message.h"
#include "fieldpost/protocol.h"

namespace fieldpost {

class Reading;

class AnswerRules {
 public:
  AnswerRules() = default;
  AnswerRules(const Json& document, const std::string& path, const CompileRule& compile,
              Reading& reading);

  bool judges() const noexcept { return static_cast<bool>(success_); }
  bool met_by(const Response& response) const;           // REQUIRES: judges()
  std::string words_of(const Response& response) const;  // as one line; "" where there are none

 private:
  Rule success_;
  Rule message_;
};

}  // namespace fieldpost
