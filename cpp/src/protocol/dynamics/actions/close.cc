// win_opportunity, lose_opportunity, qualify_lead: messages of the service that end a row's course.
//
// Sources: "WinOpportunity", "LoseOpportunity" and "QualifyLead" of the Web API Action Reference.
// None of them has an id of ours. The service refuses a row that is closed already, so a second
// sending takes no effect; its state tells then whether it is closed as it should be (closing.h).
#include <string>
#include <utility>

#include "protocol/dynamics/actions.h"

namespace fieldpost::dynamics {

namespace {

constexpr std::int64_t kDefaultReason = -1;  // of the state, as the service has it
constexpr const char* kActivity = "opportunityclose";

Call close_row(const Order& order, const Reference& reference, Part part, std::int64_t state,
               std::optional<std::int64_t> status, FormerIds former = {}) {
  Write write;
  write.former = std::move(former);
  note_former(reference, reference.others(), write);
  write.action = order.subscription.action;
  Closing closing{reference.path(), reference.table->name, state, std::nullopt};
  if (status != kDefaultReason) closing.status = status;
  write.closing = std::move(closing);
  part.headers = order.options();
  Call call = order.plain(std::move(part), std::move(write));
  call.record_id = reference.id;
  return call;
}

// The columns of the activity that the service makes, without an id: it has its own.
Row activity(const Order& order, const Reference& opportunity) {
  RowRules rules = order.subscription.rules;
  rules.leaves = {"opportunityid", "opportunityid@odata.bind", "activityid"};
  Row row = order.read(rules, order.references.table(kActivity));
  if (!row.branches.empty()) {
    throw CallFault{"E422", "the closing activity has nested rows",
                    "mapping: give the activity columns and binds alone"};
  }
  row.add(bind_member("opportunityid", opportunity.path()));
  return row;
}

Call close_opportunity(const Order& order, const char* message, std::int64_t state) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const auto status = order.choice("status", "statuscode");
  Row row = activity(order, reference);
  std::string body = "{\"OpportunityClose\":{" + row.columns +
                     "},\"Status\":" + std::to_string(status.value_or(kDefaultReason)) + "}";
  return close_row(order, reference, {"POST", message, {}, std::move(body)}, state, status,
                   std::move(row.former));
}

const char* flag(bool value) { return value ? "true" : "false"; }

}  // namespace

Call encode_win(const Order& order) { return close_opportunity(order, "WinOpportunity", 1); }

Call encode_lose(const Order& order) { return close_opportunity(order, "LoseOpportunity", 2); }

Call encode_qualify(const Order& order) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const auto status = order.choice("status", "statuscode");
  const auto makes = [&](const char* table) {
    return flag(order.subscription.makes.contains(table));
  };
  std::string body = std::string("{\"CreateAccount\":") + makes("account") +
                     ",\"CreateContact\":" + makes("contact") +
                     ",\"CreateOpportunity\":" + makes("opportunity") +
                     ",\"Status\":" + std::to_string(status.value_or(kDefaultReason)) + "}";
  const std::string path = reference.path() + "/Microsoft.Dynamics.CRM.QualifyLead";
  return close_row(order, reference, {"POST", path, {}, std::move(body)}, 1, status);
}

}  // namespace fieldpost::dynamics
