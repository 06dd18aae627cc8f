#include "http/curl_transport.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/clock.h"

namespace fieldpost {

namespace {

// Many servers close a connection that was idle for 5 s. A request that crosses with that close is
// lost, so an older one is not used again.
constexpr long kLongestIdle_s = 4;

constexpr std::size_t kUsualHeaders = 12;  // of an answer

// Once in a process, when first needed.
void init_libcurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw std::runtime_error("libcurl cannot start");
}

long milliseconds(double seconds) {
  return static_cast<long>(std::clamp(seconds * 1000, 1.0, 1e9));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool breaks_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

// libcurl frames the message itself.
bool is_framing(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
}

std::string_view cut(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// One request on its way. Its easy handle lives longer than one transfer.
class Transfer {
 public:
  explicit Transfer(const TransportOptions& options);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void prepare(std::uint64_t id, const Request& request);
  Completion finish(CURLcode code);
  CURL* easy() const noexcept { return easy_.get(); }
  // In a forked child the connection is the parent's: closing it would end the parent's session.
  void forget() noexcept { leaked_ = easy_.release(); }

 private:
  static int on_start(void* self, char*, char*, int, int) noexcept;
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept;

  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy(), option, value);
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
  }
  void set_constants(const TransportOptions& options);
  void set_address(const Request& request);
  void set_method(const Request& request);
  void set_headers(const Request& request);
  void add_header(const std::string& line);
  Fault fault_of(CURLcode code) const;
  std::string words(CURLcode code) const;

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  CURL* leaked_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::size_t max_response_bytes_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::uint64_t id_ = 0;
  Request set_;  // what libcurl was told last; setting it again costs as much as sending it
  std::string body_;  // libcurl reads it in place
  Response response_;
  int starts_ = 0;
  bool too_long_ = false;
};

Transfer::Transfer(const TransportOptions& options)
    : easy_(curl_easy_init(), &curl_easy_cleanup), max_response_bytes_(options.max_response_bytes) {
  if (!easy_) throw std::bad_alloc();
  set_constants(options);
}

Transfer::~Transfer() {
  easy_.reset();
  curl_slist_free_all(headers_);
}

void Transfer::set_constants(const TransportOptions& options) {
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_MAXAGE_CONN, kLongestIdle_s);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_USERAGENT, "fieldpost");
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout_s));
  set(CURLOPT_TIMEOUT_MS, milliseconds(options.timeout_s));
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_start);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
}

void Transfer::prepare(std::uint64_t id, const Request& request) {
  id_ = id;
  response_ = Response();
  response_.headers.reserve(kUsualHeaders);
  starts_ = 0;
  too_long_ = false;
  error_[0] = '\0';
  set_address(request);
  set_method(request);
  set_headers(request);
}

void Transfer::set_address(const Request& request) {
  if (set_.url == request.url) return;
  set(CURLOPT_URL, request.url.c_str());
  // A proxy is the environment's; what runs on this machine is never reached through one.
  set(CURLOPT_NOPROXY, is_loopback(request.host()) ? "*" : static_cast<const char*>(nullptr));
  set_.url = request.url;
}

void Transfer::set_method(const Request& request) {
  const std::string& method = request.method;
  body_ = request.has_body ? request.body : std::string();
  const bool carries = request.has_body || method == "POST" || method == "PUT" || method == "PATCH";
  if (carries) {
    set(CURLOPT_POSTFIELDS, body_.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  }
  if (set_.method == method && set_.has_body == carries) return;
  set(CURLOPT_NOBODY, method == "HEAD" ? 1L : 0L);
  if (method != "HEAD") set(carries ? CURLOPT_POST : CURLOPT_HTTPGET, 1L);
  set(CURLOPT_CUSTOMREQUEST, method.c_str());
  set_.method = method;
  set_.has_body = carries;
}

void Transfer::set_headers(const Request& request) {
  if (headers_ != nullptr && set_.headers == request.headers) return;
  curl_slist_free_all(std::exchange(headers_, nullptr));
  for (const Header& header : request.headers) {
    if (is_framing(header.name)) continue;
    add_header(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  if (!request.has_header("Content-Type")) add_header("Content-Type:");
  add_header("Expect:");  // a refused 100-continue would make libcurl start the request again
  set(CURLOPT_HTTPHEADER, headers_);
  set_.headers = request.headers;
}

void Transfer::add_header(const std::string& line) {
  curl_slist* longer = curl_slist_append(headers_, line.c_str());
  if (!longer) throw std::bad_alloc();
  headers_ = longer;
}

// Called when a connection is ready and the request is about to be written to it.
int Transfer::on_start(void* self, char*, char*, int, int) noexcept {
  return ++static_cast<Transfer*>(self)->starts_ > 1 ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto& headers = static_cast<Transfer*>(self)->response_.headers;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    headers.clear();  // of an interim answer
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers.push_back(
        {std::string(cut(line.substr(0, colon))), std::string(cut(line.substr(colon + 1)))});
  }
  return size;
}

std::size_t Transfer::on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  std::string& body = transfer->response_.body;
  transfer->too_long_ = body.size() + size > transfer->max_response_bytes_;
  if (transfer->too_long_) return 0;
  body.append(data, size);
  return size;
}

// Before on_start nothing of the request can have left; after it, only a count of zero bytes
// proves that (a TLS record that left in part cannot be read by anybody).
Fault Transfer::fault_of(CURLcode code) const {
  if (starts_ > 0) {
    long written = 0;
    curl_easy_getinfo(easy(), CURLINFO_REQUEST_SIZE, &written);
    return written == 0 ? Fault::unsent : Fault::lost;
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:  // a reset in mid-handshake looks the same as no common version
      return Fault::unreachable;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Fault::untrusted;
    default:
      return Fault::unsent;
  }
}

std::string Transfer::words(CURLcode code) const {
  if (too_long_) {
    return "the answer is longer than " + std::to_string(max_response_bytes_) + " bytes";
  }
  if (starts_ > 1) return "the connection was closed before an answer came";
  return one_line(error_[0] != '\0' ? error_.data() : curl_easy_strerror(code), 200);
}

Completion Transfer::finish(CURLcode code) {
  double elapsed_s = 0;
  curl_easy_getinfo(easy(), CURLINFO_TOTAL_TIME, &elapsed_s);
  if (code != CURLE_OK) {
    response_ = Response();
    response_.fault = fault_of(code);
    response_.fault_text = words(code);
  } else {
    long status = 0;
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
  }
  response_.elapsed_s = elapsed_s;
  return {id_, std::move(response_)};
}

}  // namespace

struct CurlTransport::State {
  explicit State(TransportOptions given) : options(std::move(given)) {}
  ~State();

  void open();
  std::unique_ptr<Transfer> idle_transfer();
  void add(std::unique_ptr<Transfer> transfer);
  void collect();  // perform, and move what ended to `done`

  TransportOptions options;
  SystemClock clock;
  CURLM* multi = nullptr;
  pid_t owner = 0;
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> running;
  std::vector<std::unique_ptr<Transfer>> idle;
  std::vector<Completion> done;
};

CurlTransport::State::~State() {
  if (!multi) return;
  const bool forked = owner != getpid();
  for (auto& [easy, transfer] : running) {
    if (forked) {
      transfer->forget();
    } else {
      curl_multi_remove_handle(multi, easy);
    }
  }
  running.clear();
  idle.clear();
  // In a forked child a clean close would end the parent's TLS sessions: leak instead.
  if (!forked) curl_multi_cleanup(multi);
}

void CurlTransport::State::open() {
  if (multi) {
    if (owner != getpid()) throw std::logic_error("a transport cannot be used in a forked child");
    return;
  }
  init_libcurl();
  multi = curl_multi_init();
  if (!multi) throw std::bad_alloc();
  owner = getpid();
  const long most = options.max_connections;
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
}

std::unique_ptr<Transfer> CurlTransport::State::idle_transfer() {
  if (idle.empty()) return std::make_unique<Transfer>(options);
  std::unique_ptr<Transfer> transfer = std::move(idle.back());
  idle.pop_back();
  return transfer;
}

void CurlTransport::State::add(std::unique_ptr<Transfer> transfer) {
  CURL* easy = transfer->easy();
  running.emplace(easy, std::move(transfer));
  if (const CURLMcode code = curl_multi_add_handle(multi, easy); code != CURLM_OK) {
    running.erase(easy);
    throw std::runtime_error(curl_multi_strerror(code));
  }
}

void CurlTransport::State::collect() {
  int active = 0;
  if (const CURLMcode code = curl_multi_perform(multi, &active); code != CURLM_OK) {
    throw std::runtime_error(curl_multi_strerror(code));
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;  // the message dies with the removal
    auto ended = running.extract(message->easy_handle);
    curl_multi_remove_handle(multi, ended.key());
    done.push_back(ended.mapped()->finish(code));
    idle.push_back(std::move(ended.mapped()));
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
  std::unique_ptr<Transfer> transfer = state_->idle_transfer();
  transfer->prepare(id, request);
  state_->add(std::move(transfer));
}

std::vector<Completion> CurlTransport::wait(double timeout_s) {
  State& state = *state_;
  if (!state.multi) {
    if (state.done.empty()) std::this_thread::sleep_for(std::chrono::duration<double>(timeout_s));
    return std::exchange(state.done, {});
  }
  state.open();  // refuses a forked child
  const double end_s = state.clock.monotonic_s() + timeout_s;
  state.collect();
  while (state.done.empty()) {
    const double left_s = end_s - state.clock.monotonic_s();
    if (left_s <= 0) break;
    curl_multi_poll(state.multi, nullptr, 0, static_cast<int>(milliseconds(left_s)), nullptr);
    state.collect();
  }
  return std::exchange(state.done, {});
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
