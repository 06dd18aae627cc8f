// delete: the row of a key. It is gone afterwards, whoever took it away.
#include "protocol/dynamics/actions.h"

namespace fieldpost::dynamics {

Call encode_remove(const Order& order) {
  const Reference row = order.row(order.subscription.key, order.particulars.find("key"));
  std::vector<Header> headers = order.condition();
  for (Header& header : order.options()) headers.push_back(std::move(header));
  Write write;
  write.action = Action::remove;
  note_former(row, row.others(), write);
  Call call = order.plain({"DELETE", row.path(), std::move(headers), ""}, std::move(write));
  call.record_id = row.id;
  return call;
}

}  // namespace fieldpost::dynamics
