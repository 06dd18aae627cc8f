// One write on its way: what was asked for, what an answer to it proves, and what may follow it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/change_set.h"
#include "protocol/dynamics/closing.h"
#include "protocol/dynamics/former_ids.h"
#include "protocol/dynamics/subscription.h"

namespace fieldpost::dynamics {

// What Dynamics remembers of a call until its answer comes.
struct Write : CallNotes {
  Action action = Action::create;
  // A row that only this write creates, and only where it is not there yet: "accounts(…)". So a
  // conflict may be this very write, done before and not heard of, and reading the row tells.
  // "" where no row tells.
  std::string marker;
  std::string marker_key;        // its primary key column
  std::string marker_partition;  // where its table is elastic and the body names one
  std::string key_column;        // of the row that is written
  bool by_columns = false;       // it is named by an alternate key
  bool once_more = false;        // an upsert that lost a race before
  bool only_once = false;    // sent again after it was done, it is refused as if it had not been
  bool binds = false;        // to rows that may not be there yet
  bool ties_inside = false;  // a part of the change set binds to a row of an earlier one
  bool root_ties = false;    // … and that part writes the row itself
  FormerIds former;          // of the rows that it means by business keys
  std::vector<Part> parts;   // of a change set; none for a plain request
  std::size_t root = 0;      // which of them writes the row itself, counted from 1

  std::optional<Closing> closing;  // what a message that closes a row leaves behind
  // The call asks for that: `refusal` is the answer to this one, or there was none.
  std::shared_ptr<const Call> closes;

  // Who acts, where each event names another: the header, and the id of a user. Set together with
  // `refusal` where the call asks for that user.
  std::optional<Header> person;
  bool owner_by_event = false;     // … names who owns the row
  bool currency_by_event = false;  // … names its currency

  // The call asks whether the table knows the names of a body that was refused in these words.
  std::shared_ptr<const Verdict> refusal;
  std::shared_ptr<const Call> other_reading;  // … asks once more where it knows them not

  std::shared_ptr<const Call> where_missing;  // goes out instead where the row is not there
  std::shared_ptr<const Call> where_there;    // … where it is there against expectation
  std::shared_ptr<const Call> where_untied;   // … where the service finds no rows of its change set
};

const Write& write_of(const Call& call);  // REQUIRES: the call is one of Dynamics

}  // namespace fieldpost::dynamics
