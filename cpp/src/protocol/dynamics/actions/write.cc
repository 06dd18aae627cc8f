// update, upsert: the row of a key gets the columns of the body.
//
// update writes only a row that is there, and nothing below it but parties, which have no life of
// their own: a second sending of it could not be told from the first. upsert creates it where it is
// not; with columns for its creation alone, or where an earlier release may have made it under
// another id, it asks in steps: update the row, under each id that it may have; where there is
// none, create it, but only if there still is none; where there is one by now, update it once more.
// Each step can be sent again. An upsert of an elastic table always goes so.
#include <algorithm>
#include <utility>

#include "protocol/dynamics/actions.h"
#include "protocol/dynamics/tree.h"

namespace fieldpost::dynamics {

namespace {

using Headers = std::vector<Header>;

// The columns that say which row it is do not belong into its body.
RowRules rules_for(const Order& order, const Reference& reference) {
  RowRules rules = order.subscription.rules;
  rules.leaves = reference.columns;
  rules.leaves.insert(reference.table->key);
  if (reference.table->elastic) rules.leaves.insert(kPartition);
  return rules;
}

// One way to write the row.
struct Step {
  Action action = Action::update;
  Headers condition;
};

// Of a version that the write itself ends.
bool names_version(const Headers& condition) {
  return std::any_of(condition.begin(), condition.end(), [](const Header& header) {
    return header.name == "If-Match" && header.value != "*";
  });
}

Call write_row(const Order& order, Reference reference, const Row& row, Step step, Write write) {
  reference.lie_in(row.partition);
  write.action = step.action;
  write.binds = row.binds;
  write.former.insert(row.former.begin(), row.former.end());
  write.key_column = reference.table->key;
  write.by_columns = reference.id.empty();
  write.only_once = names_version(step.condition);
  Part head{"PATCH", reference.path(), std::move(step.condition), ""};
  if (step.action == Action::upsert) {
    // Whether it was created is told by the status alone, and only where the row is asked for.
    head.path += "?$select=" + reference.table->key;
    head.headers.push_back({"Prefer", "return=representation"});
  }
  for (Header& header : order.options()) head.headers.push_back(std::move(header));
  Call call;
  if (row.branches.empty()) {
    head.body = "{" + row.columns + "}";
    call = order.plain(std::move(head), std::move(write));
  } else {
    call = send_tree(order, row, std::move(head), std::move(write));
  }
  call.record_id = reference.id;
  return call;
}

bool makes_rows(const Row& row) {
  return std::any_of(row.branches.begin(), row.branches.end(), [](const Branch& branch) {
    return !branch.rows.empty() && branch.rows.front().table->keyed;
  });
}

Step update_step() { return {Action::update, {{"If-Match", "*"}}}; }

}  // namespace

Call update_row(const Order& order, const Reference& reference, const Row& row) {
  Step step = update_step();
  if (order.subscription.has_if_match) step.condition = order.condition();
  Write write;
  note_former(reference, reference.others(), write);
  return write_row(order, reference, row, std::move(step), std::move(write));
}

Call encode_update(const Order& order) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const Row row = order.read(rules_for(order, reference), *reference.table);
  if (makes_rows(row)) {
    throw CallFault{"E522", "the body of an update has nested rows",
                    "mapping: bind a row that is there, or use the action upsert"};
  }
  return update_row(order, reference, row);
}

Call encode_upsert(const Order& order) {
  const Reference reference = order.row(order.subscription.key, order.particulars.find("key"));
  const RowRules rules = rules_for(order, reference);
  const Row row = order.read(rules, *reference.table);
  // On an elastic table one step would empty the columns that the body does not give.
  const bool has_condition = order.subscription.has_if_match;
  const bool replaces = reference.table->elastic && !has_condition;
  const bool is_one_step = has_condition || reference.former.empty();
  if (!order.subscription.has_on_create && !replaces && is_one_step) {
    Write write;
    if (has_condition) note_former(reference, reference.others(), write);
    return write_row(order, reference, row, {Action::upsert, order.condition()}, std::move(write));
  }
  Row whole = row;
  if (const auto more = order.particulars.find("on_create")) {
    RowReader(order.tables, order.references, rules, order.id_of).read_more(more->json, whole);
  }
  const auto share = [](Call call) { return std::make_shared<const Call>(std::move(call)); };
  Write creation;
  creation.where_there = share(write_row(order, reference, row, update_step(), {}));
  Write update;
  note_former(reference, reference.former, update);
  update.where_missing = share(write_row(
      order, reference, whole, {Action::create, {{"If-None-Match", "*"}}}, std::move(creation)));
  return write_row(order, reference, row, update_step(), std::move(update));
}

}  // namespace fieldpost::dynamics
