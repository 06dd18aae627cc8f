#include "http/transfer.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "base/loopback.h"
#include "http/content_coding.h"

namespace fieldpost {

namespace {

// Many servers close a connection that was idle for 5 s. A request that crosses with that close is
// lost, so an older one is not used again.
constexpr long kLongestIdle_s = 4;

// Below what libcurl takes itself (300 KB from 8.3 on), so that it is the same with each of them.
constexpr std::size_t kMostHeaderBytes = std::size_t{256} << 10;

constexpr const char* kEncoding = "gzip";

constexpr const char* kWantsCertificate = "it wants a client certificate that it accepts";

// Why a certificate is not trusted, and who does what about it.
struct Distrust {
  long code;  // of OpenSSL's verification (X509_V_ERR_...); 0: told by something else
  const char* reason;
  const char* advice;
};

constexpr const char* kRenew =
    "owner of the destination: have the certificate renewed; operator: is this machine's clock "
    "right?";
constexpr const char* kAuthority =
    "operator: if it is rightly so, give the authority's certificate as ca_file or "
    "FIELDPOST_CA_FILE";

constexpr Distrust kByCode[] = {
    {2, "the certificate's issuer is not known here", kAuthority},
    {20, "the certificate's issuer is not known here", kAuthority},
    {21, "the certificate's issuer is not known here", kAuthority},
    {18, "the certificate is self-signed", kAuthority},
    {19, "the certificate's authority is not known here", kAuthority},
    {9, "the certificate is not valid yet", kRenew},
    {10, "the certificate has expired", kRenew},
    {23, "the certificate was revoked", kRenew},
};
constexpr Distrust kOtherHost = {0, "the certificate is for another host",
                                 "author of the file: put the name that the certificate is for "
                                 "into url"};
constexpr Distrust kClientWanted = {0, kWantsCertificate,
                                    "author of the file: give the client certificate that the "
                                    "destination wants as client_cert and client_key"};
constexpr Distrust kClientRefused = {0, "it does not accept the client certificate",
                                     "owner of the destination: which client certificates does it "
                                     "accept? operator: compare client_cert"};
constexpr Distrust kClientUnusable = {0, "the client certificate cannot be used",
                                      "operator: check client_cert and client_key"};

const Distrust* distrust_of(long code) {
  const auto* const found = std::find_if(std::begin(kByCode), std::end(kByCode),
                                         [&](const Distrust& one) { return one.code == code; });
  return found == std::end(kByCode) ? nullptr : found;
}

// The header of a TLS record with application data, which libcurl shows beside the handshake's.
bool is_record(const char* bytes, std::size_t size) {
  constexpr char kApplicationData = 23;
  constexpr std::size_t kHeader = 5;
  return size == kHeader && bytes[0] == kApplicationData;
}

// libcurl frames the message itself.
bool is_framing(std::string_view name) {
  return same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
}

}  // namespace

long milliseconds(double seconds) {
  return static_cast<long>(std::clamp(seconds * 1000, 1.0, 1e9));
}

Transfer::Transfer(const TransportOptions& options, SocketWatch& sockets, Connections& connections)
    : easy_(curl_easy_init(), &curl_easy_cleanup),
      url_(curl_url(), &curl_url_cleanup),
      connect_timeout_s_(options.connect_timeout_s),
      timeout_s_(options.timeout_s),
      max_response_bytes_(options.max_response_bytes),
      names_proxy_(!options.proxy.empty()),
      shows_certificate_(!options.client_cert.empty()),
      connections_(connections) {
  if (!easy_ || !url_) throw std::bad_alloc();
  set_constants(options);
  if (shows_certificate_) set_client(options);
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
  set(CURLOPT_DEBUGFUNCTION, &Transfer::on_line);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
}

void Transfer::set_client(const TransportOptions& options) {
  const auto blob = [](const std::string& text) {  // libcurl copies it, though it takes no const
    return curl_blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
  };
  const curl_blob certificate = blob(options.client_cert);
  const curl_blob key = blob(options.client_key);
  set(CURLOPT_SSLCERT_BLOB, &certificate);
  set(CURLOPT_SSLKEY_BLOB, &key);
  if (!options.client_key_password.empty()) {
    set(CURLOPT_KEYPASSWD, options.client_key_password.c_str());
  }
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
  connection_ = std::make_shared<Connection>();
  stream_ = 0;
  moves_ = refused_ = moved_silently_ = spoke_last_ = false;
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
  set(CURLOPT_VERBOSE, request.url.starts_with("https:") ? 1L : 0L);  // see on_line
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
int Transfer::on_start(void* self, char* address, char*, int port, int our_port) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  try {
    const std::string ends = Connections::ends(address, port, our_port);
    return transfer->take_start(ends) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
  } catch (const std::bad_alloc&) {
    transfer->no_memory_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
}

bool Transfer::take_start(const std::string& ends) {
  if (++starts_ > 1) {
    moved_silently_ = error_[0] == '\0';
    return false;
  }
  long opened = 0;
  curl_easy_getinfo(easy(), CURLINFO_NUM_CONNECTS, &opened);
  if (opened > 0) {
    connections_.opened(ends, connection_);
  } else {
    connection_ = connections_.at(ends);
  }
  return true;
}

// libcurl's verbose talk, which is asked for where HTTP/2 and TLS may be.
int Transfer::on_line(CURL*, curl_infotype type, char* line, std::size_t size,
                      void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  if (type == CURLINFO_TEXT) {
    transfer->hear({line, size});
  } else if (is_record(line, size) && !transfer->moves_) {
    transfer->spoke_last_ = type == CURLINFO_SSL_DATA_OUT;
  }
  return 0;
}

void Transfer::hear(std::string_view line) {
  if (starts_ == 0) {
    connection_->hear_handshake(line);
  } else if (!moves_) {
    if (stream_ == 0) stream_ = stream_in(line);
    connection_->hear(line);
    refused_ = line.starts_with("REFUSED_STREAM, retrying");
    moves_ = refused_ || line.starts_with("Connection died, retrying");
  }
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
  if (header_bytes_ == 0) connection_->answered();
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

// True where the server refused the stream of HTTP/2 (RFC 9113, 8.7). libcurl says so where nothing
// else was sent over the connection before. Else it starts once more, as after a connection that
// died, and nothing but the way there tells the two apart (read in the sources of both versions):
// - 8.14 leaves words in the error buffer in each other case.
// - 7.88 leaves none where it takes a connection's end for the end of an answer. That end is seen:
//   see is_left_by_us, and a GOAWAY of libcurl's own is sent behind what was read last. No other
//   stream is on the connection, see CURLMOPT_PIPELINING.
bool Transfer::is_refused() const {
  constexpr unsigned k7_88_1 = 0x075801, k8_14_1 = 0x080e01;
  static const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  if (refused_) return true;
  if (stream_ == 0 || !moved_silently_) return false;
  return version >= k8_14_1 || (version == k7_88_1 && !spoke_last_ && connection_->is_left_by_us());
}

bool Transfer::is_unprocessed() const {
  if (header_bytes_ > 0) return false;
  return connection_->leaves_out(stream_) || is_refused() || connection_->ends_unread();
}

// Before on_start nothing of the request can have left; after it, a count of zero bytes proves that
// (a TLS record that left in part cannot be read by anybody), or the other side says so.
Fault Transfer::fault_of(CURLcode code) const {
  if (lacks_certificate()) return Fault::untrusted;
  if (starts_ == 0) return fault_before_start(code);
  long written = 0;
  curl_easy_getinfo(easy(), CURLINFO_REQUEST_SIZE, &written);
  if (written == 0) return Fault::unsent;
  return is_unprocessed() ? Fault::unprocessed : Fault::lost;
}

bool Transfer::lacks_certificate() const {
  return connection_->ends_unread() && connection_->refuses_certificate();
}

Fault Transfer::fault_before_start(CURLcode code) const {
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
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Fault::untrusted;
    default:
      return Fault::unsent;
  }
}

void Transfer::explain_distrust(CURLcode code) {
  long verified = 0;
  curl_easy_getinfo(easy(), CURLINFO_SSL_VERIFYRESULT, &verified);
  const std::string_view told = error_.data();
  const Distrust* found = nullptr;
  if (lacks_certificate() || code == CURLE_SSL_CLIENTCERT) {
    found = shows_certificate_ ? &kClientRefused : &kClientWanted;
  } else if (code == CURLE_SSL_CERTPROBLEM) {
    found = &kClientUnusable;
  } else if (told.find("certificate subject name") != std::string_view::npos) {
    found = &kOtherHost;  // libcurl looks at the name itself
  } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
    found = distrust_of(verified);
  }
  if (found == nullptr) return;
  response_.fault_reason = found->reason;
  response_.fault_advice = found->advice;
}

// After the whole answer was heard, so that its status counts whatever the body is packed in.
void Transfer::unpack() {
  if (response_.header("Content-Encoding").empty()) return;
  std::string codings;
  for (const Header& header : response_.headers.all()) {
    if (same_name(header.name, "Content-Encoding")) codings.append(header.value).push_back(',');
  }
  std::optional<std::string> body =
      decoded(codings, std::move(response_.body), max_response_bytes_);
  response_.unreadable = !body;
  response_.body = std::move(body).value_or("");
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
  if (lacks_certificate()) return kWantsCertificate + (": " + connection_->alert_words());
  if (starts_ > 0 && is_unprocessed()) {
    return connection_->ends_unread() ? "it ended the handshake: " + connection_->alert_words()
           : is_refused()             ? "it refused the stream (HTTP/2)"
                                      : "it closed the connection before this stream (HTTP/2)";
  }
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
    if (response_.fault == Fault::untrusted) explain_distrust(code);
  } else {
    long status = 0;
    curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (status == 407) refuse_by_proxy();
    unpack();
  }
  response_.elapsed_s = elapsed_s;
  return {id_, std::move(response_)};
}

}  // namespace fieldpost
