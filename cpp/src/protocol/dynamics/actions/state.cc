// assign, set_state: the row of a key gets another owner, or another state, if it is there.
//
// Each is an update of those columns alone. Sent again it writes them once more.
#include "protocol/dynamics/actions.h"

namespace fieldpost::dynamics {

Call encode_assign(const Order& order) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const Reference owner = order.row(order.subscription.to, order.particulars.find("owner"));
  Row row;
  row.table = reference.table;
  row.add(bind_member("ownerid", owner.path()));
  row.bind(owner);
  return update_row(order, reference, row);
}

Call encode_set_state(const Order& order) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const auto state = order.choice("statecode", "statecode");
  if (!state) {
    throw CallFault{"E421", "the state is missing for this event",
                    "record: give the event a state, or filter such events out"};
  }
  Row row;
  row.table = reference.table;
  row.add("\"statecode\":" + std::to_string(*state));
  if (const auto status = order.choice("statuscode", "statuscode")) {
    row.add("\"statuscode\":" + std::to_string(*status));
  }
  return update_row(order, reference, row);
}

}  // namespace fieldpost::dynamics
