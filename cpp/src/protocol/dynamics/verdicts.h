// What the answer to a write proves. What it means where it proves nothing is in faults.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fieldpost/protocol.h"
#include "protocol/dynamics/change_set.h"
#include "protocol/dynamics/faults.h"
#include "protocol/dynamics/tables.h"

namespace fieldpost::dynamics {

// Of every request, its own aside. Reads through a cache are not wanted (`reads`), unless the
// request has a condition of that name itself.
std::vector<Header> common_headers(const std::string& request_id, bool reads = true);

struct Write;
// The call may have taken effect although the answer refuses it (a gateway's word, and not the
// service's), and no later answer will show it.
bool leaves_in_doubt(const Call& call, const Response& response, const ServiceError& error);

class Verdicts {
 public:
  // All must outlive it. `client_id` may be "".
  Verdicts(const std::string& api, const std::string& client_id, const Tables& tables)
      : api_(api), client_id_(client_id), tables_(tables) {}

  Verdict decode(const Call& call, const Response& response, double now_s) const;
  std::optional<Request> question(const Call& call) const;
  Verdict decode_answer(const Call& call, const Response& response, double now_s) const;

 private:
  Verdict of_one(const Call& call, const Response& response, double now_s) const;
  Verdict of_parts(const Call& call, const Response& response, double now_s) const;
  Verdict done(const Call& call, const Response& response) const;
  // `part`: of the change set, counted from 1; 0 where the answer speaks for the whole.
  Verdict refused(const Call& call, std::size_t part, const Response& response, double now_s) const;
  std::shared_ptr<const Call> ask_for_names(const Call& call, std::size_t part,
                                            const Verdict& refusal) const;
  std::shared_ptr<const Call> asking(const Call& call, const std::string& question,
                                     const std::shared_ptr<const Verdict>& refusal,
                                     std::shared_ptr<const Call> other_reading) const;
  // The same call with its question about the row's state in its place, after the wait of
  // `verdict`.
  Verdict asking_state(const Call& call, Verdict verdict,
                       std::shared_ptr<const Verdict> refusal) const;
  Verdict state_told(const Write& asked, const Response& response, double now_s) const;
  std::shared_ptr<const Call> asking_person(const Call& call, const Verdict& refusal) const;
  Verdict person_told(const Write& asked, const Response& response, double now_s) const;
  std::optional<Request> question_after(const Call& call, const Response& response) const;
  Verdict named(const Write& asked, const Response& response, double now_s) const;

  const std::string& api_;
  const std::string& client_id_;
  const Tables& tables_;
};

}  // namespace fieldpost::dynamics
