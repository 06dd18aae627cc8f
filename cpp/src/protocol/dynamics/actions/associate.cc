// associate, disassociate: two rows are tied by a collection property, or no longer.
//
// Source: "Associate and disassociate table rows using the Web API".
#include "protocol/dynamics/actions.h"

namespace fieldpost::dynamics {

namespace {

struct Ends {
  Reference row;
  Reference to;
};

Ends ends(const Order& order) {
  const std::optional<JsonPart> to = order.particulars.find("to");
  return {order.row(order.subscription.key, order.particulars.find("key")),
          order.row(order.subscription.to, to)};
}

Call tie(const Order& order, const Ends& rows, Part part) {
  Write write;
  write.action = order.subscription.action;
  note_former(rows.row, rows.row.others(), write);
  note_former(rows.to, rows.to.others(), write);
  part.headers = order.options();
  Call call = order.plain(std::move(part), std::move(write));
  call.record_id = rows.row.id;
  return call;
}

}  // namespace

Call encode_associate(const Order& order) {
  const Ends rows = ends(order);
  const std::string collection = rows.row.path() + "/" + order.subscription.relationship;
  return tie(
      order, rows,
      {"POST", collection + "/$ref", {}, "{\"@odata.id\":\"" + order.api + rows.to.path() + "\"}"});
}

Call encode_disassociate(const Order& order) {
  const Ends rows = ends(order);
  const std::string collection = rows.row.path() + "/" + order.subscription.relationship;
  return tie(order, rows, {"DELETE", collection + "(" + rows.to.key + ")/$ref", {}, ""});
}

}  // namespace fieldpost::dynamics
