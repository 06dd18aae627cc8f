// The only file that looks inside simdjson. Builds with 3.0 and later.
#include "event/token_starts.h"

#include <simdjson.h>

#include <algorithm>

namespace fieldpost {
namespace {

constexpr std::size_t kLeastRoom = 65536;
// Room for one gigantic line is given back when an ordinary text follows.
constexpr std::size_t kMostKept = std::size_t{16} << 20;
// The first stage does not nest; simdjson wants a depth for its second.
constexpr std::size_t kAnyDepth = 16;

}  // namespace

struct TokenStarts::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  std::size_t room = 0;
};

TokenStarts::TokenStarts() : stage_(std::make_unique<Stage>()) {}
TokenStarts::~TokenStarts() = default;

bool TokenStarts::make_room(std::size_t size) {
  Stage& stage = *stage_;
  const bool wasteful = stage.room > kMostKept && size < kLeastRoom;
  if (size <= stage.room && !wasteful) return true;
  stage.room = 0;
  stage.parser.reset();
  const std::size_t wanted = std::max(size + size / 4, kLeastRoom);
  if (simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, kAnyDepth,
                                                                              stage.parser)) {
    return false;
  }
  stage.room = wanted;
  return true;
}

TokenStarts::Verdict TokenStarts::find(std::string_view text) {
  if (text.size() > simdjson::SIMDJSON_MAXSIZE_BYTES || !make_room(text.size())) {
    return Verdict::too_long;
  }
  auto& parser = *stage_->parser;
  const auto error = parser.stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                   simdjson::stage1_mode::regular);
  if (error == simdjson::EMPTY) return Verdict::none;
  if (error == simdjson::UTF8_ERROR) return Verdict::not_utf8;
  if (error != simdjson::SUCCESS) return Verdict::broken;
  begin_ = parser.structural_indexes.get();
  end_ = begin_ + parser.n_structural_indexes;
  return Verdict::found;
}

}  // namespace fieldpost
