#include "protocol/dynamics/former_ids.h"

#include <memory>
#include <utility>

#include "base/text.h"
#include "base/uuid.h"
#include "protocol/dynamics/write.h"

namespace fieldpost::dynamics {

namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

constexpr std::size_t kUuid = 36;

bool names_an_id(std::string_view text) {
  for (std::size_t at = 0; at + kUuid <= text.size(); ++at) {
    if (is_uuid(text.substr(at, kUuid))) return true;
  }
  return false;
}

}  // namespace

Call under_other_id(const Call& call, const std::string& id) {
  Call other = call;
  Write write = write_of(call);
  std::vector<std::string> rest = write.former.at(id);
  const std::string next = rest.front();
  rest.erase(rest.begin());
  write.former.erase(id);
  if (!rest.empty()) write.former[next] = std::move(rest);
  for (std::string* text : {&other.record_id, &other.request.url, &other.request.body}) {
    replace_all(*text, id, next);
  }
  for (Part& part : write.parts) {
    replace_all(part.path, id, next);
    replace_all(part.body, id, next);
  }
  if (write.closing) replace_all(write.closing->path, id, next);
  other.notes = std::make_shared<const Write>(std::move(write));
  return other;
}

std::string missed_id(const FormerIds& former, std::string_view message) {
  const std::string said = ascii_lower(message);
  for (const auto& [id, others] : former) {
    if (said.find(ascii_lower(id)) != std::string::npos) return id;
  }
  return former.size() == 1 && !names_an_id(said) ? former.begin()->first : "";
}

}  // namespace fieldpost::dynamics
