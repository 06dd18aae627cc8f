#include "base/letter_case.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringoptions.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/ustring.h>

#include <cstdint>
#include <stdexcept>

#include "base/text.h"

namespace fieldpost {
namespace {

constexpr const char* kNoLanguage = "";  // ICU's root locale

using Convert = std::int32_t (*)(char16_t*, std::int32_t, const char16_t*, std::int32_t,
                                 const char*, UErrorCode*);

// No character grows to more than three units.
std::u16string convert(std::u16string_view units, Convert function) {
  std::u16string changed(units.size() * 3, u'\0');
  UErrorCode status = U_ZERO_ERROR;
  const std::int32_t size =
      function(changed.data(), static_cast<std::int32_t>(changed.size()), units.data(),
               static_cast<std::int32_t>(units.size()), kNoLanguage, &status);
  changed.resize(static_cast<std::size_t>(size));
  return changed;
}

}  // namespace

std::string to_upper(std::string_view text) {
  return to_utf8(convert(to_utf16(text), u_strToUpper));
}

std::string to_lower(std::string_view text) {
  return to_utf8(convert(to_utf16(text), u_strToLower));
}

std::string to_title(std::string_view word) {
  std::string title;
  icu::StringByteSink<std::string> sink(&title);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToTitle(kNoLanguage, U_TITLECASE_WHOLE_STRING | U_TITLECASE_NO_LOWERCASE,
                            nullptr, {word.data(), static_cast<std::int32_t>(word.size())}, sink,
                            nullptr, status);
  return title;
}

char16_t fold_case(char16_t unit) {
  if (unit < 0x80) return unit >= u'a' && unit <= u'z' ? static_cast<char16_t>(unit - 32) : unit;
  const std::u16string upper = convert({&unit, 1}, u_strToUpper);
  return upper.size() != 1 || upper[0] < 0x80 ? unit : upper[0];
}

std::string caseless(std::string_view text) {
  const std::u16string units = to_utf16(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2& nfd = *icu::Normalizer2::getNFDInstance(status);
  const icu::Normalizer2& nfc = *icu::Normalizer2::getNFCInstance(status);
  icu::UnicodeString folded(units.data(), static_cast<std::int32_t>(units.size()));
  folded = nfd.normalize(folded, status);  // else an accent could hide a letter from the folding
  folded = nfc.normalize(folded.foldCase(U_FOLD_CASE_DEFAULT), status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize a text");
  return to_utf8({folded.getBuffer(), static_cast<std::size_t>(folded.length())});
}

}  // namespace fieldpost
