#include "http/connection.h"

#include <gtest/gtest.h>

namespace fieldpost {
namespace {

TEST(Connection, LeavesOutTheStreamsAboveTheLastOfItsGoaway) {
  for (const char* line : {"recveived GOAWAY, error=0, last_stream=5\n",
                           "received GOAWAY, error=11, last_stream=5\n"}) {
    Connection connection;
    EXPECT_FALSE(connection.leaves_out(7));
    connection.hear(line);
    EXPECT_TRUE(connection.leaves_out(7)) << line;
    EXPECT_FALSE(connection.leaves_out(5)) << line;
    EXPECT_FALSE(connection.leaves_out(0)) << "no stream of HTTP/2";
  }
}

TEST(Connection, TakesTheLowestOfSeveralGoaways) {
  Connection connection;
  connection.hear("received GOAWAY, error=0, last_stream=2147483647");
  EXPECT_FALSE(connection.leaves_out(9));
  connection.hear("received GOAWAY, error=0, last_stream=3");
  connection.hear("received GOAWAY, error=0, last_stream=9");
  EXPECT_TRUE(connection.leaves_out(5));
}

TEST(Connection, HearsNothingInTheWordsOfOthers) {
  for (const char* line : {"[HTTP/2] [1] [x-note: received GOAWAY, error=0, last_stream=0]",
                           "h2h3 [x: recveived GOAWAY, error=0, last_stream=0]",
                           "received GOAWAY, error=0", "received GOAWAY, error=0, last_stream=x",
                           " subject: CN=TLSv1.3 (IN), TLS alert, access denied (561):",
                           "TLSv1.3 (OUT), TLS alert, certificate required (628):"}) {
    Connection connection;
    connection.hear(line);
    EXPECT_FALSE(connection.leaves_out(3)) << line;
    EXPECT_FALSE(connection.ends_unread()) << line;
  }
}

TEST(Connection, EndsUnreadByAFatalAlertOfTheHandshakeAndNoAnswerBefore) {
  const struct {
    const char* line;
    bool unread;
    bool of_certificate;
  } cases[] = {
      {"TLSv1.3 (IN), TLS alert, certificate required (628):\n", true, true},
      {"TLSv1.3 (IN), TLS alert, unknown CA (560):\n", true, true},
      {"TLSv1.2 (IN), TLS alert, handshake failure (552):\n", true, false},
      {"TLSv1.3 (IN), TLS alert, close notify (256):\n", false, false},
      {"TLSv1.3 (IN), TLS alert, internal error (592):\n", false, false},
      {"TLSv1.3 (IN), TLS alert, bad record mac (532):\n", false, false},
  };
  for (const auto& c : cases) {
    Connection connection;
    connection.hear(c.line);
    EXPECT_EQ(connection.ends_unread(), c.unread) << c.line;
    EXPECT_EQ(connection.refuses_certificate(), c.of_certificate) << c.line;
    connection.answered();
    EXPECT_FALSE(connection.ends_unread()) << c.line;
  }
  Connection met(true);
  met.hear(cases[0].line);
  EXPECT_FALSE(met.ends_unread()) << "nobody knows what went over it";
}

TEST(Connection, AHandshakeFailureIsAboutTheCertificateWhereOneWasAskedFor) {
  Connection connection;
  connection.hear_handshake("TLSv1.2 (IN), TLS alert, access denied (561):\n");
  connection.hear_handshake("TLSv1.2 (OUT), TLS handshake, Client hello (1):\n");
  EXPECT_FALSE(connection.ends_unread()) << "the first was heard from another connection";
  connection.hear_handshake("TLSv1.2 (IN), TLS handshake, Request CERT (13):\n");
  connection.hear_handshake("TLSv1.2 (IN), TLS alert, handshake failure (552):\n");
  EXPECT_TRUE(connection.refuses_certificate());
  EXPECT_EQ(connection.alert_words(), "handshake failure (TLS alert 40)");
}

TEST(Connections, OneThatWasNotOpenedHereMayHaveAnswered) {
  Connections connections;
  const auto opened = std::make_shared<Connection>();
  const std::string ends = Connections::ends("127.0.0.1", 443, 4711);
  connections.opened(ends, opened);
  EXPECT_EQ(connections.at(ends), opened);
  const std::string other = Connections::ends("127.0.0.2", 443, 4711);
  connections.at(other)->hear("TLSv1.3 (IN), TLS alert, certificate required (628):");
  EXPECT_FALSE(connections.at(other)->ends_unread());
}

TEST(Connection, IsLeftByUsWhereTheOtherSideSaidNoFarewell) {
  Connection open;
  EXPECT_FALSE(open.is_left_by_us());
  open.closed(false);
  EXPECT_TRUE(open.is_left_by_us());
  open.hear("TLSv1.3 (IN), TLS alert, close notify (256):");
  EXPECT_FALSE(open.is_left_by_us());
  Connection left;
  left.closed(true);
  EXPECT_FALSE(left.is_left_by_us());
}

TEST(StreamIn, ReadsWhatLibcurlSaysOfIt) {
  EXPECT_EQ(stream_in("Using Stream ID: 17 (easy handle 0x5581)"), 17U);
  EXPECT_EQ(stream_in("[HTTP/2] [9] OPENED stream for https://host/in"), 9U);
  EXPECT_EQ(stream_in("[HTTP/2] [9] [x: ] OPENED stream for]"), 0U);
  EXPECT_EQ(stream_in("Connected to host"), 0U);
}

}  // namespace
}  // namespace fieldpost
