#include "http/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <iterator>

namespace fieldpost {

namespace {

struct Alert {
  int code;
  const char* words;
  bool of_certificate;
};

// Those that a handshake ends with (RFC 8446, 6.2). Others may end a connection that was in use.
constexpr Alert kAlerts[] = {
    {40, "handshake failure", false},
    {42, "bad certificate", true},
    {43, "unsupported certificate", true},
    {44, "certificate revoked", true},
    {45, "certificate expired", true},
    {46, "certificate unknown", true},
    {47, "illegal parameter", false},
    {48, "unknown certificate authority", true},
    {49, "access denied", true},
    {51, "decrypt error", false},
    {70, "protocol version", false},
    {71, "insufficient security", false},
    {109, "missing extension", false},
    {116, "certificate required", true},
    {120, "no application protocol", false},
};

const Alert* find(int code) {
  const Alert* const found = std::find_if(std::begin(kAlerts), std::end(kAlerts),
                                          [&](const Alert& one) { return one.code == code; });
  return found == std::end(kAlerts) ? nullptr : found;
}

// The number that begins the text; nothing where none does.
std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The number behind `mark`.
std::optional<std::uint32_t> number_after(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return number_of(text.substr(at + mark.size()));
}

struct End {
  std::array<char, INET6_ADDRSTRLEN> address{};  // "" where there is none
  int port = 0;
};

// `ask`: getsockname or getpeername.
template <typename Ask>
End end_of(int socket, const Ask& ask) {
  sockaddr_storage given{};
  socklen_t size = sizeof given;
  End end;
  if (ask(socket, reinterpret_cast<sockaddr*>(&given), &size) != 0) return end;
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&given);
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&given);
  const bool is_v6 = given.ss_family == AF_INET6;
  const void* address = is_v6 ? static_cast<const void*>(&v6->sin6_addr) : &v4->sin_addr;
  inet_ntop(given.ss_family, address, end.address.data(), end.address.size());
  end.port = ntohs(is_v6 ? v6->sin6_port : v4->sin_port);
  return end;
}

constexpr std::string_view kTls = "TLSv1.";

// "TLSv1.3 (IN), TLS alert, certificate required (628):" without the protocol's version.
std::string_view without_version(std::string_view line) {
  if (!line.starts_with(kTls) || line.size() <= kTls.size() + 1) return "";
  return line.substr(kTls.size() + 1);
}

}  // namespace

void Connection::hear(std::string_view line) {
  const bool leaves =
      line.starts_with("received GOAWAY, error=") || line.starts_with("recveived GOAWAY, error=");
  if (leaves) {
    const auto last = number_after(line, ", last_stream=");
    last_stream_ = std::min(last_stream_, last.value_or(UINT32_MAX));
  } else {
    hear_alert(without_version(line));
  }
}

// A line of another connection that is looked at meanwhile tells nothing of this one, which begins
// with our hello.
void Connection::hear_handshake(std::string_view line) {
  const std::string_view told = without_version(line);
  if (told.starts_with(" (OUT), TLS handshake, Client hello")) {
    alert_.reset();
    wants_certificate_ = false;
  }
  if (told.starts_with(" (IN), TLS handshake, Request CERT")) wants_certificate_ = true;
  hear_alert(told);
}

void Connection::hear_alert(std::string_view line) {
  if (!line.starts_with(" (IN), TLS alert, ")) return;
  const std::size_t mark = line.rfind('(');
  const std::uint32_t told = number_of(line.substr(mark + 1)).value_or(0);
  constexpr std::uint32_t kFatal = 2, kCloseNotify = 256;
  closes_ = closes_ || told == kCloseNotify;
  const int code = static_cast<int>(told & 0xff);
  if (told >> 8 == kFatal && find(code) != nullptr) alert_ = code;
}

bool Connection::refuses_certificate() const noexcept {
  constexpr int kHandshakeFailure = 40;
  if (!alert_) return false;
  return find(*alert_)->of_certificate || (*alert_ == kHandshakeFailure && wants_certificate_);
}

std::string Connection::alert_words() const {
  if (!alert_) return "";
  return find(*alert_)->words + (" (TLS alert " + std::to_string(*alert_)) + ")";
}

std::string Connections::ends(const char* address, int port, int our_port) {
  return std::string(address) + ' ' + std::to_string(port) + ' ' + std::to_string(our_port);
}

std::shared_ptr<Connection> Connections::at(const std::string& ends) {
  std::shared_ptr<Connection>& connection = known_[ends];
  if (!connection) connection = std::make_shared<Connection>(true);
  return connection;
}

void Connections::closing(int socket) {
  const End here = end_of(socket, getsockname), there = end_of(socket, getpeername);
  const auto known = known_.find(ends(there.address.data(), there.port, here.port));
  if (known == known_.end()) return;
  char byte = 0;
  const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  known->second->closed(got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK));
  known_.erase(known);
}

std::uint32_t stream_in(std::string_view line) {
  constexpr std::string_view kUsing = "Using Stream ID: ";
  constexpr std::string_view kOpened = "[HTTP/2] [";
  if (line.starts_with(kUsing)) return number_of(line.substr(kUsing.size())).value_or(0);
  if (!line.starts_with(kOpened)) return 0;
  const std::size_t end = line.find(']', kOpened.size());
  if (end == std::string_view::npos || !line.substr(end).starts_with("] OPENED stream")) return 0;
  return number_of(line.substr(kOpened.size())).value_or(0);
}

}  // namespace fieldpost
