#include "dispatch/delivery.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fieldpost {

Delivery::Delivery(std::shared_ptr<const Batch> batch, const Offer& offer)
    : batch_(std::move(batch)), offer_(offer), in_doubt_(offer.in_doubt) {}

Request& Delivery::request(const Protocol& protocol) {
  if (question_) return *question_;
  if (!call_) call_ = protocol.encode(*batch_, batch_->records.at(offer_.index));
  return call_->request;
}

void Delivery::fetch() const noexcept {
  constexpr std::size_t kLine = 64, kMost = 32;  // bytes of a line of the cache, and lines
  const std::string_view body = batch_->text(batch_->records[offer_.index].body);
  for (std::size_t at = 0; at < std::min(body.size(), kMost * kLine); at += kLine) {
    __builtin_prefetch(body.data() + at);
  }
}

std::uint32_t Delivery::subscription() const {
  return batch_->records.at(offer_.index).subscription;
}

std::string_view Delivery::order_key() const {
  return batch_->text(batch_->records.at(offer_.index).order_key);
}

std::string_view Delivery::event_id() const {
  return batch_->text(batch_->records.at(offer_.index).event_id);
}

const Call& Delivery::call() const {
  if (!call_) throw std::logic_error("an answer came to a call that was not sent");
  return *call_;
}

void Delivery::started(double now_s, std::uint64_t token) noexcept {
  token_ = token;
  last_start_s_ = now_s;
  if (question_) {
    last_questions_ += asked_last() ? 1 : 0;
    return;
  }
  if (attempts_++ == 0) first_start_s_ = now_s;
}

const Verdict& Delivery::answered(const Protocol& protocol, const Response& response, double now_s,
                                  double now_unix_s) {
  note(now_s);
  note_fault(response);
  if (question_) {
    return answered_question(protocol.decode_answer(call(), response, now_unix_s), response.status);
  }
  verdict_ = protocol.decode(call(), response, now_unix_s);
  http_status_ = verdict_.http_status > 0 ? verdict_.http_status : response.status;
  note_token(verdict_.kind == Verdict::Kind::sign_in);
  question_ = std::exchange(verdict_.question, std::nullopt);
  take_next();
  if (verdict_.give_up_after > 0) ++refused_so_;
  if (response.fault == Fault::lost || verdict_.unheard) in_doubt_ = true;
  return verdict_;
}

Verdict Delivery::answered_among(Verdict verdict, const Response& response, double now_s) {
  note(now_s);
  note_fault(response);
  const int status = verdict.http_status > 0 ? verdict.http_status : response.status;
  if (question_) {
    // Questions that were refused together are asked again in smaller company.
    return verdict.alone ? verdict : answered_question(std::move(verdict), status);
  }
  http_status_ = status;
  note_token(verdict.kind == Verdict::Kind::sign_in);
  const bool unheard = response.fault == Fault::lost || verdict.unheard;
  in_doubt_ = in_doubt_ || unheard;
  absent_ = absent_ && !unheard;
  question_ = std::exchange(verdict.question, std::nullopt);
  if (absent_ && verdict.alone && verdict.kind == Verdict::Kind::verify) {
    verdict.kind = Verdict::Kind::rejected;  // it is another of them that is there
    question_.reset();
  }
  verdict_ = std::move(verdict);
  take_next();
  if (verdict_.give_up_after > 0) ++refused_so_;
  return verdict_;
}

void Delivery::take_next() {
  if (const auto next = std::exchange(verdict_.next, nullptr)) call_ = *next;
}

void Delivery::note(double now_s) {
  latency_ms_ = (now_s - first_start_s_) * 1000;
  asked_ = asks();
}

// max_attempts counts the tries that the destination could decide on.
void Delivery::note_fault(const Response& response) noexcept {
  const Fault fault = response.fault;
  const bool reached = fault == Fault::none || fault == Fault::lost;
  if (!reached && !question_) ++unheard_of_;
}

// The status of the whole answer does not tell: a batch is answered with 200 where its parts are
// refused.
void Delivery::note_token(bool refused) noexcept {
  if (!refused) refused_tokens_[asked_].reset();
}

const Call* Delivery::plain_call(const Protocol& protocol) {
  request(protocol);
  if (!question_) return &*call_;
  if (!asking_) {
    asking_ = std::make_unique<Call>(call());
    asking_->asks = true;
    asking_->operations = 1;
    asking_->request = *question_;
  }
  return &*asking_;
}

bool Delivery::ask_before(const Protocol& protocol, std::string outcome) {
  const bool tried_before = offer_.attempts + attempts_ > 1 || in_doubt_;
  if (!tried_before || asked_last() || !call_) return false;
  question_ = protocol.question(*call_);
  if (question_) ends_as_ = std::move(outcome);
  return question_.has_value();
}

const Verdict& Delivery::answered_question(Verdict answer, int status) {
  asking_.reset();
  note_token(answer.kind == Verdict::Kind::sign_in);
  const bool asks_on = answer.kind == Verdict::Kind::sign_in || answer.kind == Verdict::Kind::again;
  if (!asked_last() || !asks_on) question_.reset();
  if (answer.kind == Verdict::Kind::rejected && answer.code.empty()) {
    absent_ = true;
    if (verdict_.alone && !asked_last()) {
      verdict_.kind = Verdict::Kind::again;  // the refusal was of others that went along
      verdict_.wait_s = 0;
      verdict_.alone = false;
    } else {
      verdict_.kind = answer.kind;  // the refusal stands, in its own words
    }
  } else {
    http_status_ = status;
    verdict_ = std::move(answer);
  }
  return verdict_;
}

void Delivery::refused(CallFault fault) {
  verdict_.code = std::move(fault.code);
  verdict_.message = std::move(fault.message);
  verdict_.action_needed = std::move(fault.action_needed);
}

void Delivery::not_sent_for(const Verdict& pause, std::string_view paused) {
  if (pause.code.empty() || !verdict_.code.empty()) return;
  explain_over(pause);
  // The pause's own words are about another event, and may show what is in it.
  verdict_.message = std::string(paused) + " is paused: " + pause.code;
  if (!pause.reason.empty()) verdict_.message += ", " + pause.reason;
}

void Delivery::explain_over(const Verdict& pause) {
  verdict_.code = pause.code;
  verdict_.message = pause.message;
  verdict_.action_needed = pause.action_needed;
}

bool Delivery::refuses_tokens() noexcept {
  std::optional<std::uint64_t>& refused = refused_tokens_[asked_];
  const bool again = refused && token_ > *refused;
  refused = token_;
  return again;
}

Tries Delivery::tries(double now_s) const noexcept {
  const double here_s = attempts_ > 0 ? now_s - first_start_s_ : 0;
  const int own = attempts_ - void_tries_;
  return {offer_.attempts + own - unheard_of_, offer_.tries + own + last_questions_,
          offer_.elapsed_s + here_s};
}

Outcome Delivery::end(std::string name) {
  const bool delivered = name == "delivered";
  Outcome outcome;
  outcome.claim = offer_.claim;
  // What waits goes on with the tries that count.
  outcome.attempts = offer_.attempts + attempts_;
  if (name == "waiting") outcome.attempts -= void_tries_ + unheard_of_;
  outcome.tries = offer_.tries + attempts_ - void_tries_;
  outcome.http_status = http_status_;
  outcome.latency_ms = latency_ms_;
  outcome.in_doubt = in_doubt_ && name == "waiting";
  outcome.code = std::move(verdict_.code);
  outcome.message = std::move(verdict_.message);
  // Whose record id tells something: a row that is there, or may be.
  if (delivered || name == "unconfirmed") outcome.record_id = std::move(verdict_.record_id);
  outcome.request_id = std::move(verdict_.request_id);
  if (outcome.request_id.empty() && call_) outcome.request_id = std::move(call_->request_id);
  (delivered ? outcome.effect : outcome.action_needed) =
      std::move(delivered ? verdict_.effect : verdict_.action_needed);
  outcome.outcome = std::move(name);
  return outcome;
}

}  // namespace fieldpost
