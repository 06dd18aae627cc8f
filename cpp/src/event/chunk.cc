#include "fieldpost/chunk.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace fieldpost {
namespace {

// Less room than this is not worth a read.
constexpr std::size_t kLeastSpare = 4096;

}  // namespace

Chunk::Chunk(std::string source, bool has_place, std::size_t capacity)
    : source_(std::move(source)),
      has_place_(has_place),
      capacity_(std::max(capacity, kLeastSpare)) {}

void Chunk::grow(std::size_t room) {
  auto bytes = std::make_unique_for_overwrite<char[]>(room);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  room_ = room;
}

std::span<char> Chunk::spare() {
  if (room_ < size_ + kLeastSpare) grow(std::max(capacity_, room_ * 2));
  return {bytes_.get() + size_, room_ - size_};
}

void Chunk::filled(std::size_t bytes) {
  if (bytes > room_ - size_) throw std::out_of_range("more bytes than spare() had");
  size_ += bytes;
  for (std::size_t at = size_; at > searched_; --at) {
    if (bytes_[at - 1] == '\n') {
      whole_ = at;
      break;
    }
  }
  searched_ = size_;
}

bool Chunk::ready() const noexcept { return whole_ > 0 && size_ * 2 >= capacity_; }

std::size_t Chunk::whole() const { return finished_ ? size_ : whole_; }

std::string_view Chunk::lines() const { return {bytes_.get(), whole()}; }

Chunk Chunk::rest() const {
  Chunk next(source_, has_place_, capacity_);
  const std::string_view done = lines();
  next.start_.offset = start_.offset + done.size();
  next.start_.line =
      start_.line + static_cast<std::uint64_t>(std::count(done.begin(), done.end(), '\n'));
  const std::size_t tail = size_ - done.size();
  if (tail > 0) {
    next.grow(std::max(capacity_, tail + kLeastSpare));
    std::memcpy(next.bytes_.get(), bytes_.get() + done.size(), tail);
    next.size_ = next.searched_ = tail;
  }
  return next;
}

}  // namespace fieldpost
