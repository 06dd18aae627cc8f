// One call's life over its attempts: what was offered, the request made of it, what came back last.
// It sends nothing and moves itself nowhere; the dispatcher does. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/dispatcher.h"
#include "http/retry.h"

namespace fieldpost {

class Delivery {
 public:
  Delivery(std::shared_ptr<const Batch> batch, const Offer& offer);

  // It is sent next but one: its body, which nobody read since it was mapped, is on its way to the
  // processor meanwhile.
  void fetch() const noexcept;
  // What to send next: the open question, else the call, which is encoded when first asked for.
  // Throws CallFault.
  Request& request(const Protocol& protocol);
  void started(double now_s, std::uint64_t token) noexcept;

  // Decodes what came back. A verdict of kind verify makes its question the next request.
  const Verdict& answered(const Protocol& protocol, const Response& response, double now_s,
                          double now_unix_s);
  // The same with the verdict on this record of a call that carried several.
  Verdict answered_among(Verdict verdict, const Response& response, double now_s);
  // What to send next as a call that may go with others, the open question too. Throws CallFault.
  const Call* plain_call(const Protocol& protocol);
  const Call& call() const;
  std::uint32_t operations() const { return question_ ? 1 : call().operations; }
  // The most records that this one, or its question, may travel with; a refusal among several makes
  // it fewer.
  std::size_t company() const noexcept { return question_ ? asking_company_ : company_; }
  void split(std::size_t were, bool asked) noexcept {
    (asked ? asking_company_ : company_) = (were + 1) / 2;
    if (!asked) says_nothing();
  }
  // Its last try was refused for what went along, or for the form that it went in: it is none.
  void says_nothing() noexcept { ++void_tries_; }
  // It is about to end as `outcome`, which an earlier try that took effect unheard would belie:
  // makes the question of that the next request. False where there is nothing to ask.
  bool ask_before(const Protocol& protocol, std::string outcome);
  bool asked_last() const noexcept { return !ends_as_.empty(); }
  const std::string& ends_as() const noexcept { return ends_as_; }  // where it did not take effect
  bool in_doubt() const noexcept { return in_doubt_; }  // it may have taken effect unheard

  void refused(CallFault fault);  // the encoding failed: its words become the verdict's

  // Why it goes back undecided: `paused`, "the subscription" say. Its own verdict says more.
  void not_sent_for(const Verdict& pause, std::string_view paused);
  void explain_over(const Verdict& pause);  // even so

  // Notes a 401. True where one came before for an earlier token, and nothing else since to a call
  // (or to a question) of this delivery: a new token did not help.
  bool refuses_tokens() noexcept;

  const Verdict& verdict() const noexcept { return verdict_; }    // the last
  std::uint64_t token() const noexcept { return token_; }         // of the last start
  double last_start_s() const noexcept { return last_start_s_; }  // of the call or its question
  std::string_view order_key() const;
  std::string_view event_id() const;
  int attempts() const noexcept { return attempts_; }  // in this run
  std::uint32_t subscription() const;
  bool asks() const noexcept { return question_.has_value(); }  // next, instead of sending
  // Answers so far of the kind that is believed after some of them: see Verdict::give_up_after.
  int refused_so() const noexcept { return refused_so_; }
  Tries tries(double now_s) const noexcept;
  Outcome end(std::string outcome);  // the last call: it hands its texts over

 private:
  void note(double now_s);
  void note_fault(const Response& response) noexcept;
  void note_token(bool refused) noexcept;
  void take_next();
  const Verdict& answered_question(Verdict answer, int status);

  std::shared_ptr<const Batch> batch_;
  Offer offer_;
  std::optional<Call> call_;
  std::optional<Request> question_;
  std::unique_ptr<Call> asking_;  // the question as a call
  Verdict verdict_;
  std::string ends_as_;  // "" until the last question is asked
  bool in_doubt_;
  bool absent_ = false;  // it was asked, and had not taken effect
  std::size_t company_ = SIZE_MAX;
  std::size_t asking_company_ = SIZE_MAX;
  int http_status_ = 0;
  int attempts_ = 0;    // in this run; questions do not count
  int void_tries_ = 0;  // of them
  int unheard_of_ = 0;  // of them: the destination never had the request
  int refused_so_ = 0;
  int last_questions_ = 0;  // each makes the wait for the next one longer
  double first_start_s_ = 0;
  double last_start_s_ = 0;
  double latency_ms_ = 0;
  std::uint64_t token_ = 0;
  bool asked_ = false;  // the last answer was to a question
  // Where the last answer of its kind, to the call and to its question, was a 401: the two may take
  // turns, and only one of them be refused.
  std::array<std::optional<std::uint64_t>, 2> refused_tokens_;
};

}  // namespace fieldpost
