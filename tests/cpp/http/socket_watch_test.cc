#include "http/socket_watch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace fieldpost {
namespace {

// Listens on a free port of this machine.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&address_);
    EXPECT_EQ(::bind(socket_, address, sizeof address_), 0);
    EXPECT_EQ(::listen(socket_, 4), 0);
    socklen_t size = sizeof address_;
    EXPECT_EQ(::getsockname(socket_, address, &size), 0);
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // A connection of the watch, and its other end.
  std::pair<int, int> connect(SocketWatch& watch) const {
    const int near = watch.open(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(near, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), 0);
    return {near, ::accept(socket_, nullptr, nullptr)};
  }

 private:
  int socket_;
  sockaddr_in address_{};
};

TEST(SocketWatch, TellsWhatIsWantedAndReady) {
  const Listener listener;
  SocketWatch watch;
  const auto [near, far] = listener.connect(watch);
  watch.want(near, true, false);
  EXPECT_TRUE(watch.wait(0).empty());
  EXPECT_EQ(::write(far, "x", 1), 1);
  const auto ready = watch.wait(1000);
  ASSERT_EQ(ready.size(), 1u);
  EXPECT_EQ(ready[0].socket, near);
  EXPECT_TRUE(ready[0].to_read);
  watch.unwant(near);
  EXPECT_TRUE(watch.wait(0).empty());
  EXPECT_EQ(watch.close(near), 0);
  ::close(far);
}

// As after a fork, whose child holds every socket of its parent.
TEST(SocketWatch, AClosedSocketThatIsOpenElsewhereIsNoLongerWatched) {
  const Listener listener;
  SocketWatch watch;
  const auto [near, far] = listener.connect(watch);
  watch.want(near, true, false);
  const int elsewhere = ::dup(near);
  ASSERT_EQ(watch.close(near), 0);
  const auto [next, its_far] = listener.connect(watch);
  ASSERT_EQ(next, near) << "the number is used again";
  watch.want(next, true, false);
  EXPECT_EQ(::write(far, "x", 1), 1);
  EXPECT_TRUE(watch.wait(0).empty()) << "what the old connection got is not the new one's";
  watch.close(next);
  for (const int socket : {elsewhere, far, its_far}) ::close(socket);
}

}  // namespace
}  // namespace fieldpost
