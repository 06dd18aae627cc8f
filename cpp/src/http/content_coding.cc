#include "http/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace fieldpost {

namespace {

constexpr int kGzipOrZlib = 15 + 32;  // of zlib's windowBits: the header tells
constexpr int kRaw = -15;

class Inflater {
 public:
  explicit Inflater(int window_bits) : begun_(inflateInit2(&stream_, window_bits) == Z_OK) {}
  ~Inflater() {
    if (begun_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::optional<std::string> all_of(std::string_view packed, std::size_t most) {
    if (!begun_) return std::nullopt;
    // zlib does not write to what it reads.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    for (;;) {
      const int code = step(text);
      if (text.size() > most || (code != Z_OK && code != Z_STREAM_END)) return std::nullopt;
      if (code == Z_OK) continue;
      if (stream_.avail_in == 0) return text;
      if (inflateReset(&stream_) != Z_OK) return std::nullopt;  // another member follows
    }
  }

 private:
  int step(std::string& text) {
    std::array<char, 16384> room;
    stream_.next_out = reinterpret_cast<Bytef*>(room.data());
    stream_.avail_out = static_cast<uInt>(room.size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    text.append(room.data(), room.size() - stream_.avail_out);
    return code;
  }

  z_stream stream_{};
  bool begun_;
};

std::optional<std::string> inflated(std::string_view packed, std::size_t most) {
  if (auto text = Inflater(kGzipOrZlib).all_of(packed, most)) return text;
  return Inflater(kRaw).all_of(packed, most);  // what some servers call deflate
}

// The last of the list, which is to be taken off first.
std::string_view last_of(std::string_view codings) {
  const std::size_t comma = codings.rfind(',');
  return comma == std::string_view::npos ? codings : codings.substr(comma + 1);
}

std::string name_of(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return ascii_lower(text.substr(begin, text.find_last_not_of(" \t") + 1 - begin));
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::string> decoded(std::string_view codings, std::string body, std::size_t most) {
  while (!codings.empty() && !body.empty()) {
    const std::string_view last = last_of(codings);
    const std::string name = name_of(last);
    if (is_one_of(name, {"gzip", "x-gzip", "deflate"})) {
      std::optional<std::string> text = inflated(body, most);
      if (!text) return std::nullopt;
      body = *std::move(text);
    } else if (!is_one_of(name, {"", "identity", "none", "utf-8"})) {  // a charset by mistake
      return std::nullopt;
    }
    codings.remove_suffix(std::min(codings.size(), last.size() + 1));
  }
  return body;
}

}  // namespace fieldpost
