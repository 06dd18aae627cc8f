// Any bytes as the answer to a batch of three calls: each gets one verdict, whatever they say.
//
// Input: the content type, LF, the body.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/json.h"
#include "must.h"
#include "protocol/dynamics/dynamics.h"
#include "protocol/dynamics/multipart.h"

namespace fieldpost::fuzz {
namespace {

constexpr const char* kDocument = R"({
    "type": "dynamics365", "destination": "d", "url": "https://org", "batching": "batch",
    "subscriptions": [{"id": "s", "action": "create", "table": "account"}],
    "tables": {"account": {"set": "accounts", "key": "accountid", "navigation": {}}}})";

struct Sent {
  Dynamics dynamics{Json::parse(kDocument)};
  std::vector<Call> calls;
  std::vector<const Call*> members;
  Call combined;

  Sent() {
    Batch batch;
    for (const char* event_id : {"a", "b", "c"}) {
      Record record;
      record.event_id = batch.keep(event_id);
      record.body = batch.keep("{}");
      calls.push_back(dynamics.encode(batch, record));
    }
    for (const Call& call : calls) members.push_back(&call);
    combined = dynamics.combine(members);
  }
};

void run(std::string_view input) {
  static const Sent sent;
  const std::size_t line = std::min(input.find('\n'), input.size());
  Response response;
  response.status = 200;
  response.headers = {{"Content-Type", std::string(input.substr(0, line))},
                      {"OData-Version", "4.0"}};
  response.body = std::string(input.substr(std::min(line + 1, input.size())));
  const auto verdicts = sent.dynamics.decode_each(sent.combined, sent.members, response, 0);
  must(verdicts.size() == sent.calls.size(), "one verdict for each call");
  const std::string_view boundary = boundary_of(response.header("Content-Type"));
  if (boundary.empty()) return;
  const char* begin = response.body.data();
  const char* end = begin + response.body.size();
  for (const EnvelopePart& part : read_parts(response.body, boundary)) {
    must(part.content.data() >= begin && part.content.data() + part.content.size() <= end,
         "a part lies in the body");
  }
}

}  // namespace
}  // namespace fieldpost::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fieldpost::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
