#include "http/socket_watch.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <new>
#include <system_error>

namespace fieldpost {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

SocketWatch::SocketWatch() : set_(epoll_create1(EPOLL_CLOEXEC)) {
  if (set_ < 0) fail("epoll_create1");
}

SocketWatch::~SocketWatch() { ::close(set_); }

SocketWatch::Entry& SocketWatch::entry(int socket) {
  const auto at = static_cast<std::size_t>(socket);
  if (at >= entries_.size()) entries_.resize(at + 1);
  return entries_[at];
}

int SocketWatch::open(int family, int type, int protocol) noexcept {
  const int socket = ::socket(family, type | SOCK_CLOEXEC, protocol);
  if (socket < 0) return socket;
  try {
    entry(socket) = {0, 0, true};
    ++open_;
  } catch (const std::bad_alloc&) {
    ::close(socket);
    return -1;
  }
  return socket;
}

int SocketWatch::close(int socket) noexcept {
  try {
    if (look_) look_(socket);
  } catch (const std::bad_alloc&) {
    look_ = nullptr;  // without it less is known of what ends, and nothing is wrong
  }
  if (const auto at = static_cast<std::size_t>(socket); at < entries_.size()) {
    Entry& one = entries_[at];
    if (one.watched != 0) change(socket, one, 0);  // closing does not, where a child has it too
    if (one.ours) --open_;
    one = {};
  }
  return ::close(socket);
}

void SocketWatch::want(int socket, bool to_read, bool to_write) {
  Entry& one = entry(socket);
  one.wanted = (to_read ? EPOLLIN : 0U) | (to_write ? EPOLLOUT : 0U);
  if (one.wanted != one.watched) change(socket, one, one.wanted);
}

void SocketWatch::unwant(int socket) {
  Entry& one = entry(socket);
  one.wanted = 0;
  // What is always ready, or closed behind our back, has to leave at once.
  if (!one.ours || (one.watched & EPOLLOUT) != 0) change(socket, one, 0);
}

void SocketWatch::change(int socket, Entry& entry, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  if (events == 0) {
    epoll_ctl(set_, EPOLL_CTL_DEL, socket, &event);  // it may be closed, and gone, already
  } else {
    const int verb = entry.watched != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    const int other = entry.watched != 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    const bool done =
        epoll_ctl(set_, verb, socket, &event) == 0 ||
        ((errno == ENOENT || errno == EEXIST) && epoll_ctl(set_, other, socket, &event) == 0);
    if (!done) fail("epoll_ctl");
  }
  entry.watched = events;
}

std::span<const SocketWatch::Ready> SocketWatch::wait(int timeout_ms) {
  std::array<epoll_event, 64> events;
  ready_.clear();
  const int count = epoll_wait(set_, events.data(), events.size(), timeout_ms);
  if (count < 0 && errno != EINTR) fail("epoll_wait");
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Entry& one = entry(event.data.fd);
    if (one.wanted == 0) {
      change(event.data.fd, one, 0);
      continue;
    }
    ready_.push_back({event.data.fd, (event.events & (EPOLLIN | EPOLLHUP)) != 0,
                      (event.events & EPOLLOUT) != 0, (event.events & EPOLLERR) != 0});
  }
  return ready_;
}

}  // namespace fieldpost
