#include "protocol/dynamics/faults.h"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace fieldpost {

namespace {

using Kind = Verdict::Kind;

constexpr const char* kMapping =
    "mapping: correct the names and the form of the body to fit the table";
constexpr const char* kRecord =
    "record: correct the value in the data or in the mapping, then replay";
constexpr const char* kMessage =
    "mapping: an opportunity is closed by action: win_opportunity or lose_opportunity";
constexpr const char* kConflict =
    "record: another row has the same unique value; decide which stays";
constexpr const char* kVersion =
    "record: somebody changed the row since the version that if_match names; decide what holds";
constexpr const char* kReferred =
    "record: other rows refer to this one, so it cannot be deleted; delete those first";
constexpr const char* kPlugIn =
    "administrator: a plug-in of this environment failed; see its trace";
constexpr const char* kRule = "record: a business rule of this environment refused it";
constexpr const char* kReach = "administrator: let the application user reach the row it refers to";
constexpr const char* kColumn =
    "administrator: give the application user the column security profile";
constexpr const char* kNoUser =
    "administrator: create an application user for the client id in this environment and give it a "
    "security role";
constexpr const char* kPrivilege =
    "administrator: give a security role of the application user the missing privilege";
constexpr const char* kApplication =
    "administrator: this environment lists the applications that may use it; put the client id on "
    "that list (Power Platform admin center, the environment's settings, app access control)";
constexpr const char* kForbidden =
    "administrator: the service forbids it to the application user; its words tell what to allow";
constexpr const char* kNobody =
    "record: name a user or a team of this environment, as owner or to act for";
constexpr const char* kNoRole = "administrator: give the application user a security role";
constexpr const char* kDisabled = "administrator: enable the application user, or license the user";
constexpr const char* kActAs = "administrator: allow the application user to act for others";
constexpr const char* kBlocked =
    "administrator: let this network address through Conditional Access";
constexpr const char* kStorage = "administrator: free or buy database storage of this environment";
constexpr const char* kMaintenance =
    "administrator: end the administration mode of this environment";
constexpr const char* kTooBig = "mapping: make the body smaller";
constexpr const char* kDefect = "developer: the request itself is wrong; report it to fieldpost";
constexpr const char* kRedirected =
    "operator: put the environment's own address into url; a redirect, to a sign-in page among "
    "others, is not followed";
constexpr const char* kForeign =
    "operator: something other than Dynamics 365 refused this; check url, and the proxy or "
    "firewall "
    "between here and Dynamics 365";
constexpr const char* kNone = "";

// `status` 0 stands for any: the published list of codes names none. `tries`: see give_up_after.
// `split`: of several records in one request, fewer may fare better.
struct Meaning {
  int status;
  std::string_view code;
  Kind kind;
  const char* action_needed;
  int tries = 0;
  bool split = false;
};

constexpr Meaning kCatalogue[] = {
    // Requests and schema.
    {0, "0x80060888", Kind::pause_subscription, kMapping},  // unknown segment, property or bind
    {0, "0x8006088a", Kind::pause_subscription, kMapping},  // unknown segment, newer
    {0, kWrongPayload, Kind::rejected, kMapping},  // name or value that does not fit the table
    {400, kUnnumbered, Kind::rejected, kMapping},
    {0, "0x80060890", Kind::pause_subscription, kMapping},  // not a key
    {0, "0x8006088f", Kind::pause_subscription, kMapping},  // key misused
    {0, "0x8006088d", Kind::pause_subscription, kMapping},  // no optimistic concurrency
    {0, "0x80060883", Kind::rejected, kDefect},             // concurrency token missing
    {0, "0x80041102", Kind::pause_subscription, kMapping},  // no such table
    {0, "0x80041103", Kind::pause_subscription, kMapping},  // no such column
    {0, "0x80072491", Kind::pause_subscription, kMapping},  // change tracking is off
    {405, "", Kind::rejected, kDefect},
    {413, "", Kind::rejected, kTooBig, 0, true},
    {415, "", Kind::rejected, kDefect},
    // Rows and keys. After a lost answer each of the unique conflicts may be our own row.
    {0, "0x80040217", Kind::again, kRecord, 5},  // bound row is not there, perhaps not yet
    {0, "0x80060891", Kind::again, kRecord, 5},  // the same by alternate key
    {0, "0x8006089d", Kind::rejected, kRecord},  // key is not unique
    {0, "0x80040237", Kind::verify, kConflict},
    {0, "0x80060892", Kind::verify, kConflict},  // alternate key
    {0, "0x80073002", Kind::verify, kConflict},  // unique index
    {0, "0x80040333", Kind::verify, kConflict},  // duplicate detection
    {0, "0x80060882", Kind::rejected, kVersion},
    {0, "0x80040227", Kind::rejected, kReferred},
    {412, "", Kind::verify, kConflict},
    // Values.
    {0, "0x80044331", Kind::rejected, kRecord},             // text too long
    {0, "0x8004432f", Kind::rejected, kRecord},             // whole number out of range
    {0, "0x80044330", Kind::rejected, kRecord},             // decimal out of range
    {0, "0x8004431a", Kind::rejected, kRecord},             // not a choice
    {0, "0x80040239", Kind::rejected, kRecord},             // date out of range
    {0, "0x80048408", Kind::rejected, kMapping},            // status reason of another state
    {0, "0x80040233", Kind::rejected, kRecord},             // state does not permit it
    {0, "0x80100005", Kind::rejected, kMessage},            // state that only a message gives
    {0, "0x80048cfb", Kind::pause_subscription, kMapping},  // money without currency
    {0, "0x80048cfc", Kind::pause_subscription, kMapping},  // no such currency
    {0, "0x80048ceb", Kind::rejected, kRecord},             // base currency underflow
    {0, "0x80048cec", Kind::rejected, kRecord},             // base currency overflow
    {0, "0x80040200", Kind::rejected, kRecord},             // required field
    {0, "0x80061037", Kind::rejected, kRecord},             // required field
    {0, "0x80040203", Kind::rejected, kRecord},             // invalid argument
    {0, "0x80040229", Kind::pause_subscription, kMapping},  // not an owner
    {0, "0x80048cf6", Kind::rejected, kRecord},             // currencies differ
    // Rights.
    {0, "0x80072560", Kind::pause, kNoUser},
    {0, "0x80095ffc", Kind::pause, kApplication},
    {0, "0x80041d1f", Kind::rejected, kNobody},
    {0, kLacksPrivilege, Kind::pause_subscription, kPrivilege},  // of its table
    {0, "0x80048306", Kind::rejected, kReach},
    {0, "0x8004f502", Kind::pause_subscription, kColumn},
    {0, "0x8004f504", Kind::pause_subscription, kColumn},
    {0, "0x8004f507", Kind::pause_subscription, kColumn},
    {0, "0x80040225", Kind::pause, kDisabled},
    {0, "0x80042f09", Kind::pause, kNoRole},
    {0, "0x8004d24b", Kind::pause, kDisabled},
    {0, "0x8004a110", Kind::pause, kActAs},
    {0, "0x8004ed43", Kind::pause, kActAs},
    {0, "0x80072561", Kind::pause, kBlocked},
    {0, "0x8004a113", Kind::again, kMaintenance},
    // Transient.
    {0, "0x80072321", Kind::again, kNone},  // execution time
    {0, "0x80072322", Kind::again, kNone},  // number of requests
    {0, "0x80072326", Kind::again, kNone},  // concurrency
    {0, "0x8005f103", Kind::again, kNone},  // throttled
    {0, "0x80048544", Kind::again, kNone},  // query throttled
    {0, "0x80072323", Kind::again, kNone},  // database resources
    {0, "0x80072324", Kind::again, kNone},  // database workers
    {0, "0x80072325", Kind::pause, kStorage},
    {0, "0x80044150", Kind::again, kNone},           // SQL error, a deadlock among others
    {0, "0x80044151", Kind::again, kNone, 0, true},  // SQL timeout
    {0, "0x80040255", Kind::again, kNone},           // no active transaction
    {0, "0x8004ed47", Kind::again, kNone},           // application lock
    {0, "0x80040216", Kind::again, kRecord, 5},      // unexpected
    {0, "0x8004418d", Kind::again, kNone},           // no sandbox worker
    {0, "0x80044171", Kind::again, kPlugIn, 3},      // sandbox timeouts
    {0, "0x80044172", Kind::again, kPlugIn, 3},
    {0, "0x80044173", Kind::again, kPlugIn, 3},
    {0, "0x80081111", Kind::again, kPlugIn, 2, true},  // plug-in beyond its time
    {0, "0x80081116", Kind::again, kNone},             // sandbox throttled
    {0, "0x80071151", Kind::again, kNone},             // customisation lock
    // Custom logic.
    {0, "0x80040265", Kind::rejected, kRule},
    {0, "0x80040224", Kind::again, kPlugIn, 2},
    // What the status alone says.
    {408, "", Kind::again, kNone},
    {425, "", Kind::again, kNone},
    {429, "", Kind::again, kNone},
    {500, "", Kind::again, kNone},
    {501, "", Kind::rejected, kDefect},
    {502, "", Kind::again, kNone},
    {503, "", Kind::again, kNone},
    {504, "", Kind::again, kNone},
};

// A 5xx with a code that nobody knows: a few tries, then it is for a person.
constexpr Meaning kUnknownServerError = {0, "", Kind::again, kRecord, 8};
constexpr Meaning kBusy = {0, "", Kind::again, kNone};
constexpr Meaning kUnknownRefusal = {0, "", Kind::rejected, kRecord};

Meaning row_for(int status, std::string_view code) {
  const bool says_nothing = code.empty() || code == kUnnumbered;
  // These statuses say how to go on, whatever code comes with them.
  if (status == 429 || (status >= 502 && status <= 504)) return kBusy;
  for (const Meaning& row : kCatalogue) {
    const bool fits = row.status == 0 || row.status == status;
    if (!row.code.empty() && row.code == code && fits) return row;
  }
  for (const Meaning& row : kCatalogue) {
    const bool told_by_code = !says_nothing && status != 412;
    if (!told_by_code && row.code.empty() && row.status == status) return row;
  }
  if (status >= 500) return says_nothing ? kBusy : kUnknownServerError;
  return kUnknownRefusal;
}

std::string hex_code(std::uint32_t number) {
  if (number == 0) return kUnnumbered;
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  const std::string text(digits, end);
  return "0x" + std::string(8 - text.size(), '0') + text;
}

// "0x80040217", "-2147220969" and the number -2147220969 are the same 32 bits.
std::string normal_code(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, hex ? 16 : 10);
  if (error == std::errc() && end == digits.data() + digits.size()) {
    return hex_code(static_cast<std::uint32_t>(number));
  }
  return one_line(text, 40);
}

std::string text_at(const simdjson::dom::object& object, std::string_view key) {
  std::string_view text;
  std::int64_t number = 0;
  const auto value = object.at_key(key);
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  if (value.get(number) == simdjson::SUCCESS) return std::to_string(number);
  return "";
}

ServiceError read_object(const simdjson::dom::object& root) {
  simdjson::dom::object error;
  for (const char* key : {"error", "_error"}) {
    if (root[key].get(error) == simdjson::SUCCESS) {
      return {text_at(error, "code"), text_at(error, "message")};
    }
  }
  for (const char* key : {"ExceptionMessage", "Message", "message", "error_description"}) {
    std::string message = text_at(root, key);
    if (!message.empty()) return {"", std::move(message)};
  }
  return {};
}

// Some answers hold escapes that JSON does not know, such as \' and \x: taken as the text they are.
std::string with_valid_escapes(std::string_view text) {
  constexpr std::string_view kKnown = "\"\\/bfnrtu";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i]);
    if (text[i] != '\\' || i + 1 >= text.size()) continue;
    const char next = text[++i];
    if (kKnown.find(next) == std::string_view::npos) out.push_back('\\');
    out.push_back(next);
  }
  return out;
}

// "prvCreateAccount" out of the sentence that says it is missing; for people only.
std::string privilege_in(std::string_view message) {
  const std::size_t begin = message.find("prv");
  if (begin == std::string_view::npos) return "";
  std::size_t end = begin;
  while (end < message.size() &&
         (std::isalnum(static_cast<unsigned char>(message[end])) || message[end] == '_')) {
    ++end;
  }
  return std::string(message.substr(begin, end - begin));
}

// True where a refusal speaks of the row, not of what every request would meet. The service words
// each of its refusals; without a code of it, something in between answered. A code that nobody
// knows is the row's fault, but where rights are meant.
bool is_of_row(const Response& response, const ServiceError& error) {
  constexpr int kOfSize[] = {413, 414, 431};
  if (std::find(std::begin(kOfSize), std::end(kOfSize), response.status) != std::end(kOfSize)) {
    return true;
  }
  if (error.code.empty()) return response.status == 400 && !response.is_html();
  const bool known = std::any_of(std::begin(kCatalogue), std::end(kCatalogue),
                                 [&](const Meaning& row) { return row.code == error.code; });
  return known || response.status != 403;
}

void explain_foreign(const Response& response, Verdict& verdict) {
  const std::string_view location = response.header("Location");
  const bool redirects = response.status >= 300 && response.status < 400;
  if (redirects && !location.empty()) {
    // Without its query, which may carry what was sent.
    verdict.message = "HTTP " + std::to_string(response.status) + " to " +
                      one_line(location.substr(0, location.find_first_of("?#")), 200);
  }
  verdict.action_needed = redirects ? kRedirected : kForeign;
}

std::string action_for(const Meaning& row, const ServiceError& error,
                       const std::string& client_id) {
  std::string action = row.action_needed;
  if (action == kPrivilege) {
    const std::string privilege = privilege_in(error.message);
    if (!privilege.empty()) action += " " + privilege;
  }
  if (action == kNoUser && !client_id.empty()) action += " (client id " + client_id + ")";
  return action;
}

}  // namespace

ServiceError read_service_error(const Response& response) {
  ServiceError error;
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  if (parser.parse(response.body).get(root) == simdjson::SUCCESS) {
    error = read_object(root);
  } else if (parser.parse(with_valid_escapes(response.body)).get(root) == simdjson::SUCCESS) {
    error = read_object(root);
  }
  error.code = normal_code(error.code);
  error.message = error.message.empty() ? response.excerpt() : one_line(error.message, 500);
  return error;
}

Verdict meaning_of(const ServiceError& error, const Response& response,
                   const std::string& client_id, double now_s) {
  const std::string http = std::to_string(response.status);
  Verdict verdict;
  verdict.code = error.code.empty() ? "http_" + http : error.code;
  verdict.message = error.message.empty() ? "HTTP " + http : error.message;
  verdict.wait_s = response.retry_after_s(now_s);
  if (response.status == 401) {
    verdict.kind = Kind::sign_in;
    return verdict;
  }
  const Meaning row = row_for(response.status, error.code);
  verdict.kind = row.kind;
  verdict.action_needed = action_for(row, error, client_id);
  verdict.give_up_after = row.tries;
  verdict.alone = row.split;
  if (verdict.kind == Kind::rejected && !is_of_row(response, error)) {
    verdict.about = Verdict::About::destination;
    verdict.foreign = error.code.empty();
    if (verdict.foreign) {
      explain_foreign(response, verdict);
    } else if (response.status == 403) {
      verdict.action_needed = kForbidden;
    }
  }
  return verdict;
}

}  // namespace fieldpost
