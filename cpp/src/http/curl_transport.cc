#include "http/curl_transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "http/socket_watch.h"
#include "http/transfer.h"

namespace fieldpost {

namespace {

// Once in a process, when first needed.
void init_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw std::runtime_error("libcurl cannot start");
}

constexpr double kNever_s = 1e18;
// So long a connection that was just used is surely used again: see the longest idle time.
constexpr double kFresh_s = 3;

bool breaks_line(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

}  // namespace

struct CurlTransport::State {
  explicit State(TransportOptions given) : options(std::move(given)) {}
  ~State();

  void open();
  void close();
  Transfer& idle_transfer();
  void add(Transfer& transfer);
  bool may_connect(const Request& request, double now_s);
  void run_timer();
  void end_overdue();
  void give_up(Transfer& transfer);
  void watch(double seconds);  // until a socket is ready or a timer due, and act on it
  void act(int socket, int what);
  void collect();  // move what ended to `done`

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept;
  static int on_timer(CURLM*, long timeout_ms, void* self) noexcept;

  TransportOptions options;
  SystemClock clock;
  std::optional<SocketWatch> sockets;
  Connections connections;
  CURLM* multi = nullptr;
  std::uint64_t owner = 0;
  std::optional<double> timer_s;  // when libcurl wants to be called, whatever the sockets do
  double look_s = kNever_s;       // no transfer is overdue before
  double last_end_s = -kNever_s;  // when a request ended
  std::string last_url, last_host;
  std::vector<std::unique_ptr<Transfer>> transfers;
  std::vector<Transfer*> idle;
  std::vector<Completion> done;
};

CurlTransport::State::~State() { close(); }

// Nothing is under way any more, and no connection is open.
void CurlTransport::State::close() {
  if (!multi) return;
  const bool forked = owner != process_mark();
  for (const auto& transfer : transfers) {
    if (!transfer->under_way()) continue;
    if (forked) {
      transfer->forget();
    } else {
      curl_multi_remove_handle(multi, transfer->easy());
    }
  }
  transfers.clear();
  idle.clear();
  // In a forked child a clean close would end the parent's TLS sessions: leak instead.
  if (!forked) curl_multi_cleanup(multi);
  multi = nullptr;
}

void CurlTransport::State::open() {
  if (multi) {
    if (owner != process_mark())
      throw std::logic_error("a transport cannot be used in a forked child");
    return;
  }
  init_libcurl();
  sockets.emplace();
  timer_s.reset();
  look_s = kNever_s;
  connections = {};
  sockets->before_close([this](int socket) { connections.closing(socket); });
  multi = curl_multi_init();
  if (!multi) throw std::bad_alloc();
  owner = process_mark();
  const long most = options.max_connections;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  // Of HTTP/2, too: a connection that breaks leaves one request in doubt, not all of them.
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
}

int CurlTransport::State::on_socket(CURL*, curl_socket_t socket, int what, void* self,
                                    void*) noexcept {
  SocketWatch& sockets = *static_cast<State*>(self)->sockets;
  try {
    if (what == CURL_POLL_REMOVE) {
      sockets.unwant(socket);
    } else {
      sockets.want(socket, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
    }
  } catch (const std::exception&) {
    return -1;  // no memory for it: libcurl stops, and act() says so
  }
  return 0;
}

int CurlTransport::State::on_timer(CURLM*, long timeout_ms, void* self) noexcept {
  State& state = *static_cast<State*>(self);
  if (timeout_ms < 0) {
    state.timer_s.reset();
  } else if (timeout_ms == 0) {
    state.timer_s = 0;  // due, whatever the clock says
  } else {
    state.timer_s = state.clock.monotonic_s() + static_cast<double>(timeout_ms) / 1000;
  }
  return 0;
}

Transfer& CurlTransport::State::idle_transfer() {
  if (idle.empty()) {
    transfers.push_back(std::make_unique<Transfer>(options, *sockets, connections));
    return *transfers.back();
  }
  Transfer& transfer = *idle.back();
  idle.pop_back();
  return transfer;
}

void CurlTransport::State::add(Transfer& transfer) {
  const CURLMcode code = curl_multi_add_handle(multi, transfer.easy());
  if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
}

// Whether none of the open connections may be free for it: all are in use, or too old, or lead to
// another host.
bool CurlTransport::State::may_connect(const Request& request, double now_s) {
  const std::size_t under_way = transfers.size() - idle.size();
  bool elsewhere = false;
  if (request.url != last_url) {
    last_url = request.url;
    elsewhere = request.host() != last_host;
    if (elsewhere) last_host = request.host();
  }
  return elsewhere || now_s - last_end_s > kFresh_s || under_way > sockets->open_sockets();
}

void CurlTransport::State::run_timer() {
  if (!timer_s || (*timer_s > 0 && clock.monotonic_s() < *timer_s)) return;
  timer_s.reset();
  act(CURL_SOCKET_TIMEOUT, 0);
}

// A deadline may have moved since it was noted, but only to a later time.
void CurlTransport::State::end_overdue() {
  const double now_s = clock.monotonic_s();
  if (now_s < look_s) return;
  look_s = kNever_s;
  for (const auto& transfer : transfers) {
    if (!transfer->under_way()) continue;
    if (now_s < transfer->deadline_s()) {
      look_s = std::min(look_s, transfer->deadline_s());
      continue;
    }
    give_up(*transfer);
  }
}

void CurlTransport::State::give_up(Transfer& transfer) {
  curl_multi_remove_handle(multi, transfer.easy());
  idle.push_back(&transfer);
  done.push_back(transfer.finish(CURLE_OPERATION_TIMEDOUT));
}

void CurlTransport::State::watch(double seconds) {
  const double until_s = std::min(timer_s.value_or(kNever_s), look_s);
  if (until_s < kNever_s) seconds = std::min(seconds, until_s - clock.monotonic_s());
  const int timeout_ms = seconds > 0 ? static_cast<int>(milliseconds(seconds)) : 0;
  for (const SocketWatch::Ready& ready : sockets->wait(timeout_ms)) {
    act(ready.socket, (ready.to_read ? CURL_CSELECT_IN : 0) |
                          (ready.to_write ? CURL_CSELECT_OUT : 0) |
                          (ready.broken ? CURL_CSELECT_ERR : 0));
  }
}

void CurlTransport::State::act(int socket, int what) {
  int active = 0;
  const CURLMcode code = curl_multi_socket_action(multi, socket, what, &active);
  if (code != CURLM_OK) throw std::runtime_error(curl_multi_strerror(code));
}

void CurlTransport::State::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message dies with the removal
    CURL* easy = message->easy_handle;
    void* transfer = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi, easy);
    idle.push_back(static_cast<Transfer*>(transfer));
    done.push_back(idle.back()->finish(code));
  }
}

CurlTransport::CurlTransport(TransportOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}

CurlTransport::~CurlTransport() = default;

void CurlTransport::start(std::uint64_t id, const Request& request) {
  for (const Header& header : request.headers) {
    if (!breaks_line(header.name) && !breaks_line(header.value)) continue;
    Completion refused{id, Response()};
    refused.response.fault = Fault::unsent;
    refused.response.fault_text = "a header holds a line break";
    state_->done.push_back(std::move(refused));
    return;
  }
  state_->open();
  State& state = *state_;
  const double now_s = state.clock.monotonic_s();
  Transfer& transfer = state.idle_transfer();
  try {
    transfer.prepare(id, request, now_s, state.may_connect(request, now_s));
    state.add(transfer);
  } catch (const std::runtime_error&) {  // libcurl does not take it
    state.idle.push_back(&transfer);
    state.done.push_back(transfer.finish(CURLE_FAILED_INIT));
    return;
  } catch (...) {
    transfer.finish(CURLE_FAILED_INIT);
    state.idle.push_back(&transfer);
    throw;
  }
  state.look_s = std::min(state.look_s, transfer.deadline_s());
}

std::vector<Completion> CurlTransport::wait(double timeout_s) {
  State& state = *state_;
  if (!state.multi) {
    if (state.done.empty()) std::this_thread::sleep_for(std::chrono::duration<double>(timeout_s));
    return std::exchange(state.done, {});
  }
  state.open();       // refuses a forked child
  state.run_timer();  // sends what was started
  state.collect();
  const double end_s = state.clock.monotonic_s() + timeout_s;
  for (double left_s = timeout_s; state.done.empty(); left_s = end_s - state.clock.monotonic_s()) {
    state.watch(left_s);
    state.run_timer();
    state.collect();
    state.end_overdue();
    if (left_s <= 0) break;
  }
  if (!state.done.empty()) state.last_end_s = state.clock.monotonic_s();
  return std::exchange(state.done, {});
}

void CurlTransport::hang_up() {
  State& state = *state_;
  if (!state.multi) return;
  state.open();  // refuses a forked child
  for (const auto& transfer : state.transfers) {
    if (transfer->under_way()) state.give_up(*transfer);
  }
  state.close();
}

std::unique_ptr<Transport> make_curl_transport(TransportOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

Response exchange(const Request& request, const TransportOptions& options) {
  CurlTransport transport(options);
  transport.start(0, request);
  for (;;) {
    std::vector<Completion> done = transport.wait(options.timeout_s);
    if (!done.empty()) return std::move(done.front().response);
  }
}

}  // namespace fieldpost
