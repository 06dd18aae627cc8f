// JSON strings and the text they stand for.
//
// Text is UTF-8, except that a lone surrogate (which JSON can write as \ud800) is kept as the three
// bytes its code point would have; append_json_string turns it back into the escape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fieldpost {

// `inside` is what stands between the quotes. REQUIRES: its escapes are well formed.
void append_unescaped(std::string_view inside, std::string& out);

// With quotes. Escapes what JSON must and lone surrogates; everything else is copied.
void append_json_string(std::string_view text, std::string& out);

// JSON text in which lone surrogates stand as bytes -> the same with escapes.
void append_surrogates_escaped(std::string_view json, std::string& out);

// The same text in UTF-16 units, as JavaScript counts and cuts it.
std::u16string to_utf16(std::string_view text);
std::string to_utf8(std::u16string_view units);

// Bytes of the escape that `json` begins with (a backslash), 0 where RFC 8259 knows none such.
std::size_t escape_size(std::string_view json);

// True where every backslash of `json` begins an escape that RFC 8259 knows.
bool escapes_are_valid(std::string_view json);

// JavaScript's white space (ECMA-262, WhiteSpace and LineTerminator) cut from both ends.
std::string_view trim(std::string_view text);

// A to Z in lower case; everything else as it stands.
std::string ascii_lower(std::string_view text);

// A stable 64-bit hash (FNV-1a with a final mix): the same on every machine and in every version.
std::uint64_t hash64(std::string_view text);

}  // namespace fieldpost
