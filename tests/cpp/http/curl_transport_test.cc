#include "http/curl_transport.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "http/loopback_server.h"

namespace fieldpost {
namespace {

constexpr const char* kNoContent = "HTTP/1.1 204 No Content\r\nServer: test\r\n\r\n";

Request post(const std::string& url, const std::string& body = "{}") {
  Request request;
  request.method = "POST";
  request.url = url;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  request.has_body = true;
  return request;
}

TransportOptions quick() {
  TransportOptions options;
  options.connect_timeout_s = 2;
  options.timeout_s = 5;
  return options;
}

Response send(Transport& transport, const Request& request) {
  transport.start(1, request);
  for (int i = 0; i < 100; ++i) {
    std::vector<Completion> done = transport.wait(0.1);
    if (!done.empty()) return std::move(done.front().response);
  }
  ADD_FAILURE() << "nothing completed";
  return {};
}

TEST(CurlTransport, SendsARequestAndReadsTheAnswer) {
  LoopbackServer server([](int, const std::string&) {
    return Reply{
        "HTTP/1.1 100 Continue\r\nOld: 1\r\n\r\nHTTP/1.1 201 Created\r\nX-Id:  7 \r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"};
  });
  CurlTransport transport(quick());
  Request request = post(server.url("/a?b=c"), "{\"n\":1}");
  request.headers.push_back({"X-Empty", ""});
  request.headers.push_back({"Content-Length", "9999"});
  const Response response = send(transport, request);
  EXPECT_EQ(response.status, 201) << response.fault_text;
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.header("x-id"), "7");
  EXPECT_EQ(response.header("Old"), "");
  const std::string sent = server.requests().at(0);
  EXPECT_EQ(sent.find("POST /a?b=c HTTP/1.1\r\n"), 0u) << sent;
  for (const char* part :
       {"Content-Type: application/json\r\n", "X-Empty:", "Content-Length: 7\r\n",
        "User-Agent: fieldpost\r\n", "\r\n\r\n{\"n\":1}"}) {
    EXPECT_NE(sent.find(part), std::string::npos) << part << " in " << sent;
  }
  for (const char* part : {"9999", "Expect", "Cookie"}) {
    EXPECT_EQ(sent.find(part), std::string::npos) << part << " in " << sent;
  }
}

TEST(CurlTransport, SendsEveryMethodWithAndWithoutABody) {
  LoopbackServer server([](int, const std::string&) { return Reply{kNoContent}; });
  CurlTransport transport(quick());
  for (const char* method : {"POST", "GET", "PATCH", "DELETE", "PUT", "GET"}) {
    for (const bool has_body : {true, false}) {
      Request request = post(server.url(), "[1]");
      request.method = method;
      request.has_body = has_body;
      if (!has_body) request.headers.clear();
      EXPECT_EQ(send(transport, request).status, 204);
      const std::string sent = server.requests().back();
      EXPECT_EQ(sent.find(method), 0u) << sent;
      EXPECT_EQ(sent.ends_with("\r\n\r\n[1]"), has_body) << sent;
      EXPECT_EQ(sent.find("Content-Type") != std::string::npos, has_body) << sent;
    }
  }
  EXPECT_EQ(server.accepted(), 1) << "connections are used again";
}

TEST(CurlTransport, ARequestOnAReusedConnectionThatDiesIsSentOnceAndLost) {
  LoopbackServer server(
      [](int n, const std::string&) { return n == 0 ? Reply{kNoContent} : Reply{"", true}; });
  CurlTransport transport(quick());
  ASSERT_EQ(send(transport, post(server.url())).status, 204);
  const Response response = send(transport, post(server.url()));
  EXPECT_EQ(response.fault, Fault::lost) << response.fault_text;
  EXPECT_EQ(response.status, 0);
  EXPECT_EQ(response.fault_text, "the connection was closed before an answer came");
  EXPECT_EQ(server.requests().size(), 2u) << "libcurl must not repeat it";
}

TEST(CurlTransport, TellsApartWhatMayHaveArrived) {
  const struct {
    const char* name;
    Reply reply;
  } cases[] = {
      {"closed without an answer", {"", true}},
      {"reset", {"", false, true}},
      {"closed within the head", {"HTTP/1.1 204 No Con", true}},
      {"closed within the body", {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", true}},
      {"closed within a chunk",
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12", true}},
      {"no HTTP", {"SSH-2.0-OpenSSH\r\n\r\n", true}},
      {"too late", {kNoContent, false, false, 1500}},
  };
  for (const auto& c : cases) {
    LoopbackServer server([&](int, const std::string&) { return c.reply; });
    TransportOptions options = quick();
    if (c.reply.delay_ms > 0) options.timeout_s = 1;
    CurlTransport transport(options);
    const Response response = send(transport, post(server.url(), "{\"secret\":\"payload\"}"));
    EXPECT_EQ(response.fault, Fault::lost) << c.name;
    EXPECT_FALSE(response.fault_text.empty()) << c.name;
    EXPECT_EQ(response.fault_text.find("payload"), std::string::npos) << response.fault_text;
    EXPECT_EQ(server.requests().size(), 1u) << c.name;
  }
}

TEST(CurlTransport, TellsWhatCannotHaveArrived) {
  std::string free_url;
  {
    LoopbackServer gone([](int, const std::string&) { return Reply{kNoContent}; });
    free_url = gone.url();
  }
  const struct {
    std::string url;
    Fault fault;
  } cases[] = {
      {free_url, Fault::unreachable},
      {"http://name.invalid/", Fault::unreachable},
      {"ftp://127.0.0.1/", Fault::unsent},
      {"http://127.0.0.1:99999/", Fault::unsent},
  };
  CurlTransport transport(quick());
  for (const auto& c : cases) {
    const Response response = send(transport, post(c.url));
    EXPECT_EQ(response.fault, c.fault) << c.url << " " << response.fault_text;
    EXPECT_FALSE(response.fault_text.empty());
  }
}

TEST(CurlTransport, RefusesALineBreakInAHeader) {
  CurlTransport transport(quick());
  Request request = post("http://127.0.0.1:1/");
  request.headers.push_back({"X-Name", "a\r\nInjected: b"});
  EXPECT_EQ(send(transport, request).fault, Fault::unsent);
}

TEST(CurlTransport, ARedirectIsAnAnswer) {
  LoopbackServer server([](int, const std::string&) {
    return Reply{"HTTP/1.1 307 No\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"};
  });
  CurlTransport transport(quick());
  EXPECT_EQ(send(transport, post(server.url())).status, 307);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(CurlTransport, AnAnswerBeyondTheCapIsLost) {
  LoopbackServer server([](int, const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nelevenbytes"};
  });
  TransportOptions options = quick();
  options.max_response_bytes = 11;
  EXPECT_EQ(exchange(post(server.url()), options).body, "elevenbytes");
  options.max_response_bytes = 10;
  const Response response = exchange(post(server.url()), options);
  EXPECT_EQ(response.fault, Fault::lost);
  EXPECT_EQ(response.fault_text, "the answer is longer than 10 bytes");
}

TEST(CurlTransport, HeadersWithoutEndAreLost) {
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 20000; ++i) many += "X-Filler: " + std::string(60, 'x') + "\r\n";
  LoopbackServer server([&](int, const std::string&) { return Reply{many, true}; });
  const Response response = exchange(post(server.url()), quick());
  EXPECT_EQ(response.fault, Fault::lost);
  EXPECT_EQ(response.fault_text, "the answer has more than 262144 bytes of headers");
}

TEST(CurlTransport, HeadersBelowTheLimitAreTaken) {
  std::string many = "HTTP/1.1 204 No\r\n";
  for (int i = 0; i < 3000; ++i) many += "X-Filler: " + std::string(60, 'x') + "\r\n";
  LoopbackServer server([&](int, const std::string&) { return Reply{many + "\r\n"}; });
  CurlTransport transport(quick());
  const Response response = send(transport, post(server.url()));
  EXPECT_EQ(response.status, 204) << response.fault_text;
  EXPECT_EQ(response.headers.all().size(), 3000u);
}

TEST(CurlTransport, ASilenceIsNotAwaitedToTheEnd) {
  LoopbackServer server([](int, const std::string&) { return Reply{}; });
  TransportOptions options = quick();
  options.timeout_s = 60;
  options.read_timeout_s = 1;
  const Response response = exchange(post(server.url()), options);
  EXPECT_EQ(response.fault, Fault::lost);
  EXPECT_NE(response.fault_text.find("too slow"), std::string::npos) << response.fault_text;
}

TEST(CurlTransport, KeepsManyOnTheWireAndCompletesEachOnce) {
  LoopbackServer server([](int, const std::string&) { return Reply{kNoContent}; });
  CurlTransport transport(quick());
  std::vector<bool> seen(40, false);
  const Request request = post(server.url());
  for (std::uint64_t id = 0; id < seen.size(); ++id) transport.start(id, request);
  std::size_t completed = 0;
  for (int i = 0; i < 200 && completed < seen.size(); ++i) {
    for (const Completion& completion : transport.wait(0.1)) {
      EXPECT_EQ(completion.response.status, 204);
      EXPECT_FALSE(seen.at(completion.id));
      seen.at(completion.id) = true;
      ++completed;
    }
  }
  EXPECT_EQ(completed, seen.size());
  EXPECT_EQ(server.requests().size(), seen.size());
}

TEST(CurlTransport, HangingUpTellsWhatWasOnTheWireAndGoesOn) {
  LoopbackServer server(
      [](int n, const std::string&) { return n == 0 ? Reply{} : Reply{kNoContent}; });
  const Request request = post(server.url());
  CurlTransport transport(quick());
  transport.start(1, request);
  for (int i = 0; i < 200 && server.requests().empty(); ++i) {
    EXPECT_TRUE(transport.wait(0.05).empty());
  }
  transport.hang_up();
  const std::vector<Completion> done = transport.wait(0);
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].id, 1u);
  EXPECT_EQ(done[0].response.fault, Fault::lost);
  EXPECT_EQ(done[0].response.fault_text, "no whole answer in time");
  EXPECT_EQ(send(transport, request).status, 204);
}

TEST(CurlTransport, CanBeDestroyedWithRequestsOnTheWire) {
  LoopbackServer server([](int, const std::string&) { return Reply{}; });
  const Request request = post(server.url());
  auto transport = make_curl_transport(quick());
  transport->start(1, request);
  EXPECT_TRUE(transport->wait(0.05).empty());
}

TEST(CurlTransport, AForkedChildForgetsAndTheParentGoesOn) {
  LoopbackServer server([](int, const std::string&) { return Reply{kNoContent}; });
  auto transport = make_curl_transport(quick());
  ASSERT_EQ(send(*transport, post(server.url())).status, 204);
  const pid_t child = fork();
  if (child == 0) {
    int verdict = 1;
    try {
      transport->start(2, post("http://127.0.0.1:1/"));
    } catch (const std::logic_error&) {
      verdict = 0;
    }
    transport.reset();
    _exit(verdict);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(send(*transport, post(server.url())).status, 204);
  EXPECT_EQ(server.accepted(), 1) << "the child closed nothing";
}

// In a child, whose memory can be bounded.
TEST(CurlTransport, AnAnswerThatFindsNoMemoryIsLost) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more address space than can be left";
#endif
  constexpr std::size_t kLength = std::size_t{96} << 20;
  LoopbackServer server([](int, const std::string&) {
    return Reply{"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kLength) + "\r\n\r\n" +
                     std::string(kLength, 'x'),
                 true};
  });
  TransportOptions options = quick();
  options.max_response_bytes = 2 * kLength;
  const pid_t child = fork();
  if (child == 0) {
    CurlTransport transport(options);
    std::ifstream sizes("/proc/self/statm");
    rlim_t pages = 0;
    sizes >> pages;
    const rlim_t most = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + kLength / 2;
    const rlimit limit{most, most};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(2);
    const Response response = send(transport, post(server.url()));
    const bool said = response.fault_text == "there is no memory left for the answer";
    _exit(response.fault == Fault::lost && said ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace fieldpost
