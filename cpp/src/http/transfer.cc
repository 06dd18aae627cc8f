#include "http/transfer.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string_view>
#include <utility>

namespace fieldpost {

namespace {

// Many servers close a connection that was idle for 5 s. A request that crosses with that close is
// lost, so an older one is not used again.
constexpr long kLongestIdle_s = 4;

// Below what libcurl takes itself (300 KB from 8.3 on), so that it is the same with each of them.
constexpr std::size_t kMostHeaderBytes = std::size_t{256} << 10;

constexpr const char* kEncoding = "gzip";

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// libcurl frames the message itself.
bool is_framing(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
}

}  // namespace

long milliseconds(double seconds) {
  return static_cast<long>(std::clamp(seconds * 1000, 1.0, 1e9));
}

Transfer::Transfer(const TransportOptions& options, SocketWatch& sockets)
    : easy_(curl_easy_init(), &curl_easy_cleanup),
      url_(curl_url(), &curl_url_cleanup),
      connect_timeout_s_(options.connect_timeout_s),
      timeout_s_(options.timeout_s),
      max_response_bytes_(options.max_response_bytes),
      names_proxy_(!options.proxy.empty()) {
  if (!easy_ || !url_) throw std::bad_alloc();
  set_constants(options);
  if (names_proxy_) set_proxy(options);
  watch(sockets);
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
  set(CURLOPT_ACCEPT_ENCODING, kEncoding);  // what comes so is unpacked
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  if (options.read_timeout_s > 0) {
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);  // bytes per second
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::ceil(options.read_timeout_s)));
  }
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_PREREQFUNCTION, &Transfer::on_start);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
}

void Transfer::set_proxy(const TransportOptions& options) {
  set(CURLOPT_PROXY, options.proxy == "none" ? "" : options.proxy.c_str());
  if (!options.ca_file.empty()) set(CURLOPT_PROXY_CAINFO, options.ca_file.c_str());
  if (options.proxy_username.empty()) return;
  set(CURLOPT_PROXYUSERNAME, options.proxy_username.c_str());
  set(CURLOPT_PROXYPASSWORD, options.proxy_password.c_str());
}

// Connections outlive the transfer that opened them; the watch outlives both.
void Transfer::watch(SocketWatch& sockets) {
  set(CURLOPT_OPENSOCKETDATA, &sockets);
  set(
      CURLOPT_OPENSOCKETFUNCTION,
      +[](void* watch, curlsocktype, curl_sockaddr* address) noexcept -> curl_socket_t {
        return static_cast<SocketWatch*>(watch)->open(address->family, address->socktype,
                                                      address->protocol);
      });
  set(CURLOPT_CLOSESOCKETDATA, &sockets);
  set(
      CURLOPT_CLOSESOCKETFUNCTION, +[](void* watch, curl_socket_t socket) noexcept {
        return static_cast<SocketWatch*>(watch)->close(socket);
      });
}

void Transfer::prepare(std::uint64_t id, const Request& request, double now_s, bool connects) {
  id_ = id;
  begin_s_ = now_s;
  under_way_ = true;
  response_ = Response();
  starts_ = 0;
  header_bytes_ = 0;
  headers_end_ = false;
  too_long_ = false;
  no_memory_ = false;
  error_[0] = '\0';
  expect_connection(connects);
  set_address(request);
  set_method(request);
  set_headers(request);
}

// libcurl shares its time among the addresses of a host. Where no connection is to be made it needs
// none: a timer of it for each request costs more than ours for all.
void Transfer::expect_connection(bool connects) {
  if (connects == connects_) return;
  set(CURLOPT_CONNECTTIMEOUT_MS, connects ? milliseconds(connect_timeout_s_) : 0L);
  connects_ = connects;
}

double Transfer::deadline_s() const noexcept {
  return begin_s_ + (starts_ == 0 ? std::min(connect_timeout_s_, timeout_s_) : timeout_s_);
}

void Transfer::set_address(const Request& request) {
  if (set_.url == request.url) return;
  // What cannot be parsed is left to the transfer, which tells it as a fault.
  const bool parsed = curl_url_set(url_.get(), CURLUPART_URL, request.url.c_str(),
                                   CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  set(CURLOPT_CURLU, parsed ? url_.get() : static_cast<CURLU*>(nullptr));
  set(CURLOPT_URL, request.url.c_str());
  // What runs on this machine is not reached through a proxy of the environment. One that is named
  // is for every host, whatever no_proxy says.
  const char* direct = is_loopback(request.host()) ? "*" : nullptr;
  set(CURLOPT_NOPROXY, names_proxy_ ? "" : direct);
  set_.url = request.url;
}

void Transfer::set_method(const Request& request) {
  const std::string& method = request.method;
  const bool carries = request.has_body || method == "POST" || method == "PUT" || method == "PATCH";
  if (carries) {
    const std::string_view body = request.has_body ? request.body_text() : std::string_view();
    set(CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());  // read in place
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
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
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  set_.headers.clear();
  curl_slist_free_all(std::exchange(headers_, nullptr));
  for (const Header& header : request.headers) {
    if (is_framing(header.name)) continue;
    add_header(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  if (!request.has_header("Content-Type")) add_header("Content-Type:");
  // As lines of ours: libcurl writes those of its options twice for each request, byte by byte.
  if (!request.has_header("User-Agent")) add_header("User-Agent: fieldpost");
  if (!request.has_header("Accept-Encoding")) {
    add_header(std::string("Accept-Encoding: ") + kEncoding);
  }
  if (!request.has_header("Accept")) add_header("Accept:");  // "*/*" says nothing
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

// libcurl is C: nothing may be thrown through it. What is not taken whole ends the transfer.
std::size_t Transfer::on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  try {
    return transfer->take_header({data, size}) ? size : 0;
  } catch (const std::bad_alloc&) {
    transfer->no_memory_ = true;
    return 0;
  }
}

std::size_t Transfer::on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  try {
    return transfer->take_body({data, size}) ? size : 0;
  } catch (const std::bad_alloc&) {
    transfer->no_memory_ = true;
    return 0;
  }
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMostHeaderBytes) return false;
  headers_end_ = line.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // of an interim answer
  } else {
    response_.headers.add_line(line);
  }
  return true;
}

bool Transfer::take_body(std::string_view bytes) {
  std::string& body = response_.body;
  too_long_ = body.size() + bytes.size() > max_response_bytes_;
  if (!too_long_) body.append(bytes);
  return !too_long_;
}

// Whether the whole answer is there, whatever became of the stream that brought it. A server that
// answers before it has read the request resets the stream of HTTP/2 behind its answer, which must
// not discard it (RFC 9113, 8.1); libcurl 7.88 does where there is no body.
bool Transfer::is_answered() const {
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  if (!headers_end_ || status < 200) return false;
  if (status == 204 || status == 304) return true;
  return response_.header("Content-Length") == std::to_string(response_.body.size());
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
    case CURLE_RECV_ERROR:  // what libcurl calls it when a proxy refuses the tunnel
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

// 407 is a proxy's word, not the destination's: the request never got there.
void Transfer::refuse_by_proxy() {
  response_ = Response();
  response_.fault = Fault::unreachable;
  response_.fault_text = "the proxy wants another user name or password (HTTP 407)";
}

std::string Transfer::words(CURLcode code) const {
  if (header_bytes_ > kMostHeaderBytes) {
    return "the answer has more than " + std::to_string(kMostHeaderBytes) + " bytes of headers";
  }
  if (too_long_) {
    return "the answer is longer than " + std::to_string(max_response_bytes_) + " bytes";
  }
  if (code == CURLE_OPERATION_TIMEDOUT && error_[0] == '\0') {
    return starts_ == 0 ? "no connection in time" : "no whole answer in time";
  }
  if (no_memory_) return "there is no memory left for the answer";
  if (starts_ > 1) return "the connection was closed before an answer came";
  return one_line(error_[0] != '\0' ? error_.data() : curl_easy_strerror(code), 200);
}

Completion Transfer::finish(CURLcode code) {
  under_way_ = false;
  double elapsed_s = 0;
  curl_easy_getinfo(easy(), CURLINFO_TOTAL_TIME, &elapsed_s);
  if (code == CURLE_HTTP2_STREAM && is_answered()) code = CURLE_OK;
  if (code != CURLE_OK) {
    response_ = Response();
    response_.fault = fault_of(code);
    response_.fault_text = words(code);
  } else {
    long status = 0;
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (status == 407) refuse_by_proxy();
  }
  response_.elapsed_s = elapsed_s;
  return {id_, std::move(response_)};
}

}  // namespace fieldpost
