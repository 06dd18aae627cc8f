// create: the tree of the body, whole or not at all, each row with an id of ours.
//
// One POST (deep insert); a tree of more rows than the service may take in one goes as a change
// set. Either can be sent again: a row of that id is there then, and the service says so. An id
// that the body brings may be of somebody else's row: then a row below it tells, or none.
#include "protocol/dynamics/actions.h"
#include "protocol/dynamics/tree.h"

namespace fieldpost::dynamics {

namespace {

// The first row whose id depends on the event alone.
const Row* first_own(const Row& row) {
  if (!row.brings_id && !row.id.empty()) return &row;
  for (const Branch& branch : row.branches) {
    for (const Row& child : branch.rows) {
      if (const Row* own = first_own(child)) return own;
    }
  }
  return nullptr;
}

}  // namespace

Call encode_create(const Order& order) {
  const Table& table = *order.subscription.key.table;
  const Row row = order.read(order.subscription.rules, table);
  Write write;
  write.action = Action::create;
  if (const Row* own = first_own(row)) {
    write.marker = own->path();
    write.marker_key = own->table->key;
    write.marker_partition = own->partition;
  }
  write.only_once = write.marker.empty();
  write.binds = row.binds;
  write.former = row.former;
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
