// One request on its way through libcurl. Its easy handle lives longer than one transfer, since
// telling libcurl everything anew costs as much as sending it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fieldpost/transport.h"
#include "http/connection.h"
#include "http/socket_watch.h"

namespace fieldpost {

long milliseconds(double seconds);  // as libcurl takes them; at least one

class Transfer {
 public:
  // `sockets` outlives the connections that the transfer opens; `connections` the transfer.
  Transfer(const TransportOptions& options, SocketWatch& sockets, Connections& connections);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // `connects`: a connection may have to be made for it.
  void prepare(std::uint64_t id, const Request& request, double now_s, bool connects);
  double deadline_s() const noexcept;  // then it is over, whatever came
  Completion finish(CURLcode code);
  bool under_way() const noexcept { return under_way_; }
  CURL* easy() const noexcept { return easy_.get(); }
  // In a forked child the connection is the parent's: closing it would end the parent's session.
  void forget() noexcept { leaked_ = easy_.release(); }

 private:
  static int on_start(void* self, char* address, char*, int port, int our_port) noexcept;
  static int on_line(CURL*, curl_infotype type, char* line, std::size_t size, void* self) noexcept;
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept;
  bool take_start(const std::string& ends);
  void hear(std::string_view line);
  bool take_header(std::string_view line);
  bool take_body(std::string_view bytes);

  template <typename Value>
  void set(CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(easy(), option, value);
    if (code != CURLE_OK) throw std::runtime_error(curl_easy_strerror(code));
  }
  void set_constants(const TransportOptions& options);
  void set_client(const TransportOptions& options);
  void set_proxy(const TransportOptions& options);
  void watch(SocketWatch& sockets);
  void expect_connection(bool connects);
  void set_address(const Request& request);
  void set_method(const Request& request);
  void set_headers(const Request& request);
  void add_header(const std::string& line);
  bool is_answered() const;
  bool is_refused() const;
  bool is_unprocessed() const;
  bool lacks_certificate() const;
  void refuse_by_proxy();
  void unpack();
  Fault fault_of(CURLcode code) const;
  Fault fault_before_start(CURLcode code) const;
  void explain_distrust(CURLcode code);
  std::string words(CURLcode code) const;

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url_;  // parsed once
  CURL* leaked_ = nullptr;
  curl_slist* headers_ = nullptr;
  double connect_timeout_s_;
  double timeout_s_;
  std::size_t max_response_bytes_;
  bool names_proxy_;  // or none; else it is the environment's
  bool shows_certificate_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::uint64_t id_ = 0;
  double begin_s_ = 0;
  bool connects_ = false;  // what libcurl was told last
  Request set_;  // what libcurl was told last; setting it again costs as much as sending it
  Response response_;
  Connections& connections_;
  std::shared_ptr<Connection> connection_ = std::make_shared<Connection>();  // it started on
  std::uint32_t stream_ = 0;     // of HTTP/2, on that one
  bool moves_ = false;           // from it to another: what is heard is not of the first
  bool refused_ = false;         // REFUSED_STREAM, in libcurl's words
  bool moved_silently_ = false;  // ... and libcurl gave no reason
  bool spoke_last_ = false;      // on the first: the last TLS record of data was ours
  int starts_ = 0;
  std::size_t header_bytes_ = 0;  // of interim answers, too
  bool headers_end_ = false;      // of the answer's
  bool too_long_ = false;
  bool no_memory_ = false;
  bool under_way_ = false;
};

}  // namespace fieldpost
