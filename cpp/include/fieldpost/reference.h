// What the two languages offer, as the pages under docs/ list it: the tables that the compilers
// work with say it themselves, so a page cannot say something else.
#pragma once

#include <string_view>
#include <vector>

namespace fieldpost {

struct DirectiveHelp {
  std::string_view name;
  bool is_segments;  // else fieldpost's own
  std::string_view help;
  std::string_view example;  // a mapping, as JSON
  std::string_view event;    // JSON
  std::string_view body;     // what the example makes of it, as JSON; "" for nothing
};
std::vector<DirectiveHelp> directive_help();

struct FilterHelp {
  std::string_view kind;  // "condition" or "function"
  std::string_view name;
  std::string_view help;
  std::string_view example;  // a filter
  std::string_view yes;      // an event that it lets through, as JSON
  std::string_view no;       // one that it does not
};
std::vector<FilterHelp> filter_help();

}  // namespace fieldpost
