// A JSON object or list, one level deep: names as text, values as they stand.
//
// What lies deeper is not looked at, so that big numbers, escapes and white space inside of a value
// stay what they are.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fieldpost::dynamics {

enum class JsonKind : std::uint8_t { object, list, text, number, boolean, null };

// A value of a body, as its JSON.
struct JsonPart {
  std::string_view json;
  JsonKind kind = JsonKind::null;

  std::string text() const;  // what a text says. REQUIRES: kind is text
  bool is_nothing() const { return kind == JsonKind::null || json == "\"\""; }
};

struct Member {
  std::string name;
  JsonPart value;
  std::string_view json;  // `"name": value`
};

// A JSON text and the means to open what stands in it. One thread at a time.
class JsonBody {
 public:
  explicit JsonBody(std::string_view json);
  ~JsonBody();

  JsonPart whole() const;  // without the white space around it

  // REQUIRES: part comes from this body. Empty where the part is of another kind. Throw CallFault
  // where it is not JSON.
  std::vector<Member> members(JsonPart part);
  std::vector<JsonPart> elements(JsonPart part);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fieldpost::dynamics
