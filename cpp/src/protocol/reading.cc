#include "protocol/reading.h"

#include <algorithm>
#include <utility>

namespace fieldpost {

namespace {

std::string at(const std::string& path, const char* key) { return path + "." + key; }

const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

}  // namespace

std::string Reading::text(const Json& object, const char* key, const std::string& path,
                          bool required) {
  const Json* found = find(object, key);
  if (found && found->is_string()) return found->get<std::string>();
  if (found || required) mistake("E613", "must be a text", at(path, key));
  return "";
}

bool Reading::flag(const Json& object, const char* key, const std::string& path) {
  const Json* found = find(object, key);
  if (found && !found->is_boolean()) mistake("E613", "must be true or false", at(path, key));
  return found && found->is_boolean() && found->get<bool>();
}

std::uint32_t Reading::count(const Json& object, const char* key, const std::string& path,
                             std::uint32_t otherwise) {
  const Json* found = find(object, key);
  if (!found) return otherwise;
  const std::int64_t number = found->is_number_integer() ? found->get<std::int64_t>() : 0;
  if (number < 1) mistake("E613", "must be a whole number from 1", at(path, key));
  return static_cast<std::uint32_t>(std::min<std::int64_t>(number, UINT32_MAX));
}

const Json& Reading::object(const Json& object, const char* key, const std::string& path) {
  static const Json kEmpty = Json::object();
  const Json* found = find(object, key);
  if (found && found->is_object()) return *found;
  if (found) mistake("E613", "must be an object", at(path, key));
  return kEmpty;
}

const Json& Reading::list(const Json& object, const char* key, const std::string& path) {
  static const Json kEmpty = Json::array();
  const Json* found = find(object, key);
  if (found && found->is_array()) return *found;
  if (found) mistake("E613", "must be a list", at(path, key));
  return kEmpty;
}

void Reading::mistake(std::string code, std::string message, std::string path) {
  mistakes_.push_back({std::move(code), std::move(message), std::move(path), ""});
}

void Reading::finish() {
  if (!mistakes_.empty()) throw DocumentError(std::move(mistakes_));
}

}  // namespace fieldpost
