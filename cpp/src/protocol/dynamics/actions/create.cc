// create: the tree of the body, whole or not at all, each row with an id of ours.
//
// One POST (deep insert); a tree of more rows than the service may take in one goes as a change
// set. Either can be sent again: a row of that id is there then, and the service says so.
#include "protocol/dynamics/actions.h"
#include "protocol/dynamics/tree.h"

namespace fieldpost::dynamics {

Call encode_create(const Order& order) {
  const Table& table = *order.subscription.key.table;
  const Row row = order.read(order.subscription.rules, table);
  Write write;
  write.action = Action::create;
  write.marker = row.path();
  write.marker_key = table.key;
  write.binds = row.binds;
  Call call;
  if (row.nested() <= kMostNested) {
    call = order.plain({"POST", table.set, order.options(), row.deep()}, std::move(write));
  } else {
    call = send_tree(order, row, {"POST", table.set, order.options(), ""}, std::move(write));
  }
  call.record_id = row.id;
  return call;
}

}  // namespace fieldpost::dynamics
