#include "fieldpost/reference.h"

#include "filter/functions.h"
#include "filter/operators.h"

namespace fieldpost {
namespace {

// What the parser itself knows.
constexpr FilterHelp kWords[] = {
    {"condition", "in",
     R"(equals an element of a list, written (`["a", 5, null]`) or of the event)",
     R"(event in ["Signed Up", "Logged In"])", R"({"event":"Logged In"})", R"({"event":"Page"})"},
    {"condition", "a field, a function", R"(alone: true where it is exactly `true`)",
     R"(properties.vip)", R"({"properties":{"vip":true}})", R"({"properties":{"vip":"true"}})"},
    {"condition", "!",
     R"(turns what follows around, up to the next `and`, `or` or `)`; for a missing value as well)",
     R"(!contains(event, "Test"))", R"({"event":"Order"})", R"({"event":"Test Order"})"},
    {"condition", "and", R"(every one of the conditions)",
     R"(type = "track" and event = 'Account Created')",
     R"({"type":"track","event":"Account Created"})",
     R"({"type":"page","event":"Account Created"})"},
    {"condition", "or", R"(at least one of them; beside `and` one of the two needs parentheses)",
     R"((type = "track" or type = "page") and properties.n = 7)",
     R"({"type":"page","properties":{"n":7}})", R"({"type":"page","properties":{"n":8}})"},
    {"condition", "( )", R"(group; they nest freely)", R"(!(type = "page" or type = "screen"))",
     R"({"type":"track"})", R"({"type":"page"})"},
    {"condition", "all", R"(every event)", R"(all)", R"({"type":"page"})", ""},
};

}  // namespace

std::vector<FilterHelp> filter_help() {
  std::vector<FilterHelp> rows;
  for (const OperatorRow& row : kOperators) {
    rows.push_back({"condition", row.text, row.help, row.example, row.yes, row.no});
  }
  rows.insert(rows.end(), std::begin(kWords), std::end(kWords));
  for (const FunctionRow& row : kFunctions) {
    rows.push_back({"function", row.name, row.help, row.example, row.yes, row.no});
  }
  return rows;
}

}  // namespace fieldpost
