#include <gtest/gtest.h>

#include <string>

#include "fieldpost/error.h"
#include "fieldpost/protocol.h"

namespace fieldpost {
namespace {

std::string mistakes_of(const char* document) {
  try {
    make_protocol(Json::parse(document));
  } catch (const DocumentError& error) {
    return error.what();
  }
  return "";
}

TEST(MakeProtocol, KnowsItsProtocols) {
  EXPECT_EQ(mistakes_of(R"({"type": "webhook"})"), "");
  EXPECT_EQ(mistakes_of(R"({"type": "dynamics365", "destination": "d", "url": "https://o"})"), "");
}

TEST(MakeProtocol, TellsEveryMistake) {
  EXPECT_EQ(mistakes_of("null"), "E613 must be a text at $.protocol.type");
  EXPECT_EQ(
      mistakes_of(R"({"type": "webhok"})"),
      "E612 unknown destination type \"webhok\" at $.protocol.type; did you mean \"webhook\"?");
  EXPECT_EQ(mistakes_of(R"({"type": "webhook", "on_unconfirmed": "drop",
                            "subscriptions": [{"headers": {"a b": "c", "d": 1}}]})"),
            "E613 must be hold or resend at $.protocol.on_unconfirmed\n"
            "E613 must be a text at $.protocol.subscriptions[0].id\n"
            "E613 must be a text at $.protocol.subscriptions[0].method\n"
            "E613 must be a header name with a text at $.protocol.subscriptions[0].headers.a b\n"
            "E613 must be a header name with a text at $.protocol.subscriptions[0].headers.d");
  EXPECT_EQ(mistakes_of(R"({"type": "dynamics365", "destination": "d", "url": "https://o",
                            "tables": {"account": {"set": "accounts", "key": "accountid",
                                                   "navigation": {"x": "lead"}}},
                            "subscriptions": [{"id": "s", "action": "merge", "table": "acount",
                                               "key": "value"}]})"),
            "E614 table \"lead\" is not described at $.protocol.tables.account.navigation.x\n"
            "E614 unknown action \"merge\"; known are create, upsert, update, delete, associate, "
            "disassociate, assign, set_state, win_opportunity, lose_opportunity, qualify_lead at "
            "$.protocol.subscriptions[0].action\n"
            "E614 table \"acount\" is not described at $.protocol.subscriptions[0].table");
}

}  // namespace
}  // namespace fieldpost
