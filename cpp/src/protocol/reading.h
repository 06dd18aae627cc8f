// Reads a protocol's document key by key and collects its mistakes (E613: missing or of a wrong
// type, E614: refers to nothing). What stands in keys nobody reads is not its concern: a compiled
// destination document has been checked before.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fieldpost/error.h"
#include "fieldpost/json.h"

namespace fieldpost {

class Reading {
 public:
  // The text at `key`; "" where it is absent, which is a mistake only if `required`.
  std::string text(const Json& object, const char* key, const std::string& path,
                   bool required = true);
  bool flag(const Json& object, const char* key, const std::string& path);
  // A whole number from 1; `otherwise` where it is absent.
  std::uint32_t count(const Json& object, const char* key, const std::string& path,
                      std::uint32_t otherwise);
  // An empty object or list where there is none.
  const Json& object(const Json& object, const char* key, const std::string& path);
  const Json& list(const Json& object, const char* key, const std::string& path);

  void mistake(std::string code, std::string message, std::string path);
  void finish();  // throws DocumentError where something was wrong

 private:
  std::vector<Mistake> mistakes_;
};

}  // namespace fieldpost
