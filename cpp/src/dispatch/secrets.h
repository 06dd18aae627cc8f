// Takes tokens out of texts that people see: a service may answer with what was sent to it.
#pragma once

#include <string>
#include <vector>

namespace fieldpost {

class Secrets {
 public:
  // The value of an Authorization header; its scheme is no secret.
  void add(const std::string& header);
  // A text that is hidden for good, as it stands.
  void keep(std::string text);
  // Also the beginning of one that the text ends with.
  std::string hide(std::string text) const;

 private:
  std::vector<std::string> kept_;
  std::vector<std::string> tokens_;  // the last few: an answer may be to an older one
};

}  // namespace fieldpost
