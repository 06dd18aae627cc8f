// A connection as libcurl tells of it: which of its requests the other side did not look at.
//
// libcurl's API gives neither HTTP/2's GOAWAY nor a TLS alert away, but it writes a line about each
// to whoever wants its verbose talk. The lines read here are those of libcurl 7.88 to 8.14. One in
// other words is not heard, and its request counts as lost. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace fieldpost {

class Connection {
 public:
  // `met`: nothing is known of what went over it before.
  explicit Connection(bool met = false) noexcept : answered_(met) {}

  void hear(std::string_view line);
  void hear_handshake(std::string_view line);  // before the first request
  void answered() noexcept { answered_ = true; }

  // The last stream of its GOAWAY came before this one (RFC 9113, 6.8).
  bool leaves_out(std::uint32_t stream) const noexcept { return last_stream_ < stream; }
  void closed(bool left) noexcept { end_ = left ? End::by_the_other_side : End::by_us; }

  // It was closed by us, and nothing says that the other side ended it before: no GOAWAY, no close
  // notify of TLS, no end of what it sent.
  bool is_left_by_us() const noexcept {
    return end_ == End::by_us && last_stream_ == UINT32_MAX && !closes_;
  }
  // A fatal alert of the handshake and no answer before: nobody read a request (RFC 8446, 6.2). A
  // client of TLS 1.3 sends its first ones before it hears that its certificate does not do.
  bool ends_unread() const noexcept { return alert_.has_value() && !answered_; }
  // ... and the alert is about our certificate, or about there being none.
  bool refuses_certificate() const noexcept;
  // The alert in words, "" where there is none.
  std::string alert_words() const;

 private:
  enum class End : std::uint8_t { none, by_us, by_the_other_side };

  void hear_alert(std::string_view line);

  std::uint32_t last_stream_ = UINT32_MAX;
  std::optional<int> alert_;  // fatal, of the handshake
  bool closes_ = false;
  End end_ = End::none;
  bool wants_certificate_ = false;
  bool answered_;
};

// Those that are open, by their two ends: our port alone may be that of several.
class Connections {
 public:
  static std::string ends(const char* address, int port, int our_port);

  void opened(const std::string& ends, std::shared_ptr<Connection> connection) {
    known_[ends] = std::move(connection);
  }
  // One that is not known was met on its way.
  std::shared_ptr<Connection> at(const std::string& ends);
  void closing(int socket);  // which is still open

 private:
  std::unordered_map<std::string, std::shared_ptr<Connection>> known_;
};

// The stream that a line says a request goes on, 0 where it says nothing of it.
std::uint32_t stream_in(std::string_view line);

}  // namespace fieldpost
