// One HTTP request and what came back, as plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fieldpost {

struct Header {
  std::string name;
  std::string value;

  bool operator==(const Header&) const = default;
};

// The header lines of an answer as they came, in one text: few of them are ever looked at.
class HeaderLines {
 public:
  HeaderLines() = default;
  HeaderLines(std::initializer_list<Header> headers);

  void add(std::string_view name, std::string_view value);
  void add_line(std::string_view line);  // "name: value\r\n"; one without a colon is left out
  void clear() noexcept { text_.clear(); }
  std::string_view find(std::string_view name) const;  // the first of that name, or ""
  std::vector<Header> all() const;

 private:
  std::string text_;  // each line ends with \n
};

struct Request {
  std::string method;  // "POST"
  std::string url;
  std::vector<Header> headers;
  std::string body;
  bool has_body = false;
  std::string_view kept_body = {};  // in place of `body`: one that outlives the request

  bool operator==(const Request&) const = default;
  std::string_view body_text() const noexcept {
    return kept_body.empty() ? std::string_view(body) : kept_body;
  }
  bool has_header(std::string_view name) const;  // ASCII case-insensitive
  // Name or address in the URL, without user, port and brackets, so that a message may show it.
  std::string_view host() const;
};

// How an exchange ended without a whole answer. The difference that matters is whether the
// destination may have acted: only after `lost` it may.
enum class Fault : std::uint8_t {
  none,
  unreachable,  // no name, refused, no route, no connection or handshake in time: nothing was sent
  untrusted,    // a handshake that failed for a certificate, theirs or ours: nothing was read
  unsent,  // failed before the first byte of the request left; tells nothing of the destination
  unprocessed,  // bytes left, and the destination said that it did not act on them, nor will: a
                // stream refused, or above GOAWAY's last. It is well; the same may be sent at once
  lost,         // bytes left, and no whole answer came
};

struct Response {
  int status = 0;  // 0 where fault != none
  HeaderLines headers;
  std::string body;
  bool unreadable = false;  // the body came whole, but damaged or in an unknown Content-Encoding
  Fault fault = Fault::none;
  std::string fault_text;    // libcurl's words; no payload
  std::string fault_reason;  // the same in words of ours, which name no host; "" where we have none
  std::string fault_advice;  // who does what about it; "" where the kind of fault says it
  double elapsed_s = 0;

  // The first header of that name (ASCII case-insensitive), or "".
  std::string_view header(std::string_view name) const { return headers.find(name); }
  // Retry-After in seconds from now, given as seconds (a fraction too) or as an HTTP date, which is
  // held against the answer's own Date; against now where it has none. Nothing where that asks for
  // no wait.
  std::optional<double> retry_after_s(double now_unix_s) const;
  bool is_html() const noexcept;  // by its first character
  // The body as one line for people, at most `limit` bytes and whole characters; "" for HTML.
  std::string excerpt(std::size_t limit = 500) const;
};

// `text` as one line: white space runs and control characters become one blank; cut between
// characters at `limit` bytes.
std::string one_line(std::string_view text, std::size_t limit);

// ASCII only, as header names compare.
bool same_name(std::string_view a, std::string_view b);

}  // namespace fieldpost
