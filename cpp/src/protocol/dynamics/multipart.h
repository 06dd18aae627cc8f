// The envelope of a $batch: parts between boundaries (RFC 2046), and the HTTP message inside of
// one.
//
// Writing is exact, CRLF everywhere; reading is lenient: either line end, headers in any case and
// order, boundaries quoted or not. Bytes that are no envelope give no parts; nothing here throws.
// What is read points into the text that was given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fieldpost/message.h"

namespace fieldpost {

struct EnvelopePart {
  HeaderLines headers;
  std::string_view content;

  std::string_view header(std::string_view name) const { return headers.find(name); }
};

// The boundary that a content type of multipart/... names; "" where it is another type.
std::string_view boundary_of(std::string_view content_type);

// The parts that are whole: one that no boundary ends is left out. `boundary` is not "".
std::vector<EnvelopePart> read_parts(std::string_view body, std::string_view boundary);

// Status, headers and body of the answer in a part; none where it has no status line.
std::optional<Response> read_answer(std::string_view content);

// "/api/data/v9.2/" of "https://host/api/data/v9.2/": an address from the root of its host.
std::string_view target_of(std::string_view url);

// The headers of a part that holds a message.
std::vector<Header> http_part(std::size_t content_id);

// "--boundary", the headers, an empty line, the content. The content is a message or another
// envelope; every line of it ends with CRLF.
void write_part(std::string& text, std::string_view boundary, const std::vector<Header>& headers,
                std::string_view content);
void write_end(std::string& text, std::string_view boundary);

// The request line, headers and body of a request, as a part holds them. `target` is its address.
std::string written_request(const Request& request, std::string_view target,
                            const std::vector<Header>& headers);

}  // namespace fieldpost
