// The sockets that libcurl waits for: an epoll set, changed as rarely as it can be.
//
// A kept-alive connection is wanted for each answer and unwanted in between; taking it out of the
// set and putting it back would cost two system calls for each request. So a connection stays in
// the set until it is closed, or until it is ready while nobody wants it. One thread at a time; in
// a forked child it must not be used.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace fieldpost {

class SocketWatch {
 public:
  struct Ready {
    int socket;
    bool to_read;
    bool to_write;
    bool broken;
  };

  SocketWatch();  // throws std::system_error
  ~SocketWatch();
  SocketWatch(const SocketWatch&) = delete;
  SocketWatch& operator=(const SocketWatch&) = delete;

  // A connection's socket, as ::socket and ::close make and end it.
  int open(int family, int type, int protocol) noexcept;
  int close(int socket) noexcept;
  // Called with each socket that close() is about to end.
  void before_close(std::function<void(int socket)> look) { look_ = std::move(look); }
  std::size_t open_sockets() const noexcept { return open_; }

  void want(int socket, bool to_read, bool to_write);
  void unwant(int socket);
  // Waits for any that are wanted; valid until the next call.
  std::span<const Ready> wait(int timeout_ms);

 private:
  struct Entry {
    std::uint32_t wanted = 0;
    std::uint32_t watched = 0;  // what the set knows
    bool ours = false;          // from open(): nobody closes it but close()
  };
  Entry& entry(int socket);
  void change(int socket, Entry& entry, std::uint32_t events);

  std::function<void(int)> look_;
  int set_;
  std::size_t open_ = 0;
  std::vector<Entry> entries_;  // by socket
  std::vector<Ready> ready_;
};

}  // namespace fieldpost
