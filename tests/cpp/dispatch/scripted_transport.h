// A transport without a network: a function is the destination, a manual clock is the time.
// Waiting moves the clock to the next completion, or by the whole timeout.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "fieldpost/transport.h"

namespace fieldpost {

// What went over the wire, and when. Outlives the transport.
struct Wire {
  std::function<Response(int n, const Request& request)> destination;
  double latency_s = 0.1;
  std::vector<Request> requests;
  std::vector<double> times_s;
  std::size_t most_in_flight = 0;
};

class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(std::shared_ptr<Wire> wire, std::shared_ptr<ManualClock> clock)
      : wire_(std::move(wire)), clock_(std::move(clock)) {}

  void start(std::uint64_t id, const Request& request) override {
    const int n = static_cast<int>(wire_->requests.size());
    Request& kept = wire_->requests.emplace_back(request);
    kept.body = request.body_text();
    kept.kept_body = {};
    wire_->times_s.push_back(clock_->monotonic_s());
    Response response = wire_->destination(n, request);
    const double takes_s = response.elapsed_s > 0 ? response.elapsed_s : wire_->latency_s;
    flying_.push_back({clock_->monotonic_s() + takes_s, {id, std::move(response)}});
    wire_->most_in_flight = std::max(wire_->most_in_flight, flying_.size());
  }

  std::vector<Completion> wait(double timeout_s) override {
    const double end_s = clock_->monotonic_s() + timeout_s;
    double next_s = end_s;
    for (const Flight& flight : flying_) next_s = std::min(next_s, flight.lands_s);
    clock_->advance(std::max(0.0, next_s - clock_->monotonic_s()));
    std::vector<Completion> landed;
    std::erase_if(flying_, [&](Flight& flight) {
      if (flight.lands_s > clock_->monotonic_s() + 1e-9) return false;
      landed.push_back(std::move(flight.completion));
      return true;
    });
    return landed;
  }

  void hang_up() override {
    for (Flight& flight : flying_) {
      flight.lands_s = clock_->monotonic_s();
      flight.completion.response = Response();
      flight.completion.response.fault = Fault::lost;
      flight.completion.response.fault_text = "no whole answer in time";
    }
  }

 private:
  struct Flight {
    double lands_s;
    Completion completion;
  };

  std::shared_ptr<Wire> wire_;
  std::shared_ptr<ManualClock> clock_;
  std::vector<Flight> flying_;
};

}  // namespace fieldpost
