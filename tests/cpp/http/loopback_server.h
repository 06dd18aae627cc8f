// A server for one test on a free port of this machine: it reads one request after another and
// answers with the bytes that a script gives, or closes the connection. Its thread ends with it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace fieldpost {

struct Reply {
  std::string bytes;   // sent as they are
  bool close = false;  // afterwards
  bool reset = false;  // close without the usual farewell
  int delay_ms = 0;
};

class LoopbackServer {
 public:
  // `script` is asked for the reply to the n-th request (from 0) of this server.
  using Script = std::function<Reply(int n, const std::string& request)>;

  explicit LoopbackServer(Script script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    listen(listener_, 16);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~LoopbackServer() {
    stop_ = true;
    thread_.join();
    for (const int connection : connections_) close(connection);
    close(listener_);
  }

  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  int accepted() const { return accepted_; }

 private:
  void serve() {
    while (!stop_) {
      std::vector<pollfd> polled = {{listener_, POLLIN, 0}};
      for (const int connection : connections_) polled.push_back({connection, POLLIN, 0});
      if (poll(polled.data(), polled.size(), 10) <= 0) continue;
      for (std::size_t i = 1; i < polled.size(); ++i) {
        if (polled[i].revents != 0) answer(polled[i].fd);
      }
      if (polled[0].revents & POLLIN) {
        connections_.push_back(accept(listener_, nullptr, nullptr));
        ++accepted_;
      }
    }
  }

  void answer(int connection) {
    const std::string request = read_request(connection);
    if (request.empty()) return drop(connection, false);
    int n = 0;
    {
      const std::lock_guard lock(mutex_);
      n = static_cast<int>(requests_.size());
      requests_.push_back(request);
    }
    const Reply reply = script_(n, request);
    std::this_thread::sleep_for(std::chrono::milliseconds(reply.delay_ms));
    if (!reply.bytes.empty()) {
      (void)!send(connection, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
    }
    if (reply.close || reply.reset) drop(connection, reply.reset);
  }

  static std::string read_request(int connection) {
    std::string request;
    char bytes[4096];
    for (;;) {
      const auto head = request.find("\r\n\r\n");
      if (head != std::string::npos && request.size() >= head + 4 + length_of(request)) break;
      const ssize_t got = recv(connection, bytes, sizeof bytes, 0);
      if (got <= 0) return "";
      request.append(bytes, static_cast<std::size_t>(got));
    }
    return request;
  }

  static std::size_t length_of(const std::string& request) {
    const auto at = request.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(request.substr(at + 16));
  }

  void drop(int connection, bool reset) {
    if (reset) {
      const linger now{1, 0};
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    std::erase(connections_, connection);
    close(connection);
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::vector<int> connections_;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::atomic<int> accepted_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace fieldpost
