#include "base/text.h"

#include <array>
#include <cstring>

namespace fieldpost {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::uint32_t code_unit(std::string_view four) {
  std::uint32_t unit = 0;
  for (const char c : four) unit = unit * 16 + static_cast<std::uint32_t>(hex(c));
  return unit;
}

void append_code_point(std::uint32_t point, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

bool is_high(std::uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low(std::uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// `at` stands on the u of \uXXXX; returns where the text goes on.
std::size_t append_unicode_escape(std::string_view inside, std::size_t at, std::string& out) {
  std::uint32_t point = code_unit(inside.substr(at + 1, 4));
  at += 5;
  if (is_high(point) && at + 6 <= inside.size() && inside[at] == '\\' && inside[at + 1] == 'u') {
    const std::uint32_t low = code_unit(inside.substr(at + 2, 4));
    if (is_low(low)) {
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    }
  }
  append_code_point(point, out);
  return at;
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // quote, backslash, slash
  }
}

void append_control(unsigned char c, std::string& out) {
  out.push_back('\\');
  if (c == '"' || c == '\\') {
    out.push_back(static_cast<char>(c));
  } else if (c >= 8 && c <= 13 && c != 11) {
    static constexpr std::array<char, 6> kLetters = {'b', 't', 'n', 0, 'f', 'r'};
    out.push_back(kLetters[c - 8]);
  } else {
    static constexpr std::string_view kHex = "0123456789abcdef";
    out += "u00";
    out.push_back(kHex[c >> 4]);
    out.push_back(kHex[c & 15]);
  }
}

bool is_surrogate_at(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) == 0xED && at + 2 < text.size() &&
         static_cast<unsigned char>(text[at + 1]) >= 0xA0;
}

void append_surrogate_escape(std::string_view three, std::string& out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  const std::uint32_t unit = 0xD000U | ((static_cast<unsigned char>(three[1]) & 0x3FU) << 6) |
                             (static_cast<unsigned char>(three[2]) & 0x3FU);
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHex[(unit >> shift) & 15]);
}

// Bytes of the white-space character at the front, 0 where there is none.
std::size_t space_size(std::string_view text) {
  static constexpr std::array<std::string_view, 25> kSpaces = {
      "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u00A0", "\u1680", "\u2000",
      "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009",
      "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\uFEFF"};
  for (const std::string_view space : kSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

}  // namespace

void append_unescaped(std::string_view inside, std::string& out) {
  std::size_t at = 0;
  while (at < inside.size()) {
    const std::size_t slash = inside.find('\\', at);
    out += inside.substr(at, slash - at);
    if (slash == std::string_view::npos) return;
    if (inside[slash + 1] == 'u') {
      at = append_unicode_escape(inside, slash + 1, out);
    } else {
      out.push_back(simple_escape(inside[slash + 1]));
      at = slash + 2;
    }
  }
}

void append_json_string(std::string_view text, std::string& out) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool surrogate = c == 0xED && is_surrogate_at(text, at);
    if (c >= 0x20 && c != '"' && c != '\\' && !surrogate) continue;
    out += text.substr(plain, at - plain);
    if (surrogate) {
      append_surrogate_escape(text.substr(at, 3), out);
      at += 2;
    } else {
      append_control(c, out);
    }
    plain = at + 1;
  }
  out += text.substr(plain);
  out.push_back('"');
}

void append_surrogates_escaped(std::string_view json, std::string& out) {
  std::size_t plain = 0;
  for (std::size_t at = json.find('\xED'); at != std::string_view::npos;
       at = json.find('\xED', at + 1)) {
    if (!is_surrogate_at(json, at)) continue;
    out += json.substr(plain, at - plain);
    append_surrogate_escape(json.substr(at, 3), out);
    plain = at + 3;
  }
  out += json.substr(plain);
}

std::u16string to_utf16(std::string_view text) {
  std::u16string units;
  units.reserve(text.size());
  const auto tail = [&](std::size_t at) { return static_cast<unsigned char>(text[at]) & 0x3FU; };
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80) {
      units.push_back(lead);
      at += 1;
    } else if (lead < 0xE0) {
      units.push_back(static_cast<char16_t>(((lead & 0x1FU) << 6) | tail(at + 1)));
      at += 2;
    } else if (lead < 0xF0) {
      units.push_back(
          static_cast<char16_t>(((lead & 0xFU) << 12) | (tail(at + 1) << 6) | tail(at + 2)));
      at += 3;
    } else {
      const std::uint32_t point =
          ((lead & 7U) << 18) | (tail(at + 1) << 12) | (tail(at + 2) << 6) | tail(at + 3);
      units.push_back(static_cast<char16_t>(0xD7C0 + (point >> 10)));
      units.push_back(static_cast<char16_t>(0xDC00 + (point & 0x3FF)));
      at += 4;
    }
  }
  return units;
}

std::string to_utf8(std::u16string_view units) {
  std::string text;
  text.reserve(units.size());
  for (std::size_t at = 0; at < units.size(); ++at) {
    std::uint32_t point = units[at];
    if (is_high(point) && at + 1 < units.size() && is_low(units[at + 1])) {
      point = 0x10000 + ((point - 0xD800) << 10) + (units[++at] - 0xDC00U);
    }
    append_code_point(point, text);
  }
  return text;
}

std::size_t escape_size(std::string_view json) {
  static constexpr std::string_view kKnown = "\"\\/bfnrt";
  constexpr std::size_t kUnit = 6;  // \uXXXX
  if (json.size() < 2) return 0;
  if (json[1] != 'u') return kKnown.find(json[1]) != std::string_view::npos ? 2 : 0;
  if (json.size() < kUnit) return 0;
  for (std::size_t i = 2; i < kUnit; ++i) {
    if (hex(json[i]) < 0) return 0;
  }
  return kUnit;
}

bool escapes_are_valid(std::string_view json) {
  std::size_t at = 0;
  while ((at = json.find('\\', at)) != std::string_view::npos) {
    const std::size_t size = escape_size(json.substr(at));
    if (size == 0) return false;
    at += size;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (const std::size_t size = space_size(text)) text.remove_prefix(size);
  bool again = true;
  while (again && !text.empty()) {
    again = false;
    for (std::size_t size = 1; size <= 3 && size <= text.size(); ++size) {
      if (space_size(text.substr(text.size() - size)) != size) continue;
      text.remove_suffix(size);
      again = true;
      break;
    }
  }
  return text;
}

std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::uint64_t hash64(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  hash ^= hash >> 32;
  hash *= 0xD6E8FEB86659FD93U;
  return hash ^ (hash >> 32);
}

}  // namespace fieldpost
