// Runs tests/cases: the same files that pytest runs through the Python module.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fieldpost/error.h"
#include "fieldpost/expression.h"
#include "fieldpost/json.h"
#include "fieldpost/mapping.h"
#include "fieldpost/plan.h"
#include "fieldpost/transforms.h"

namespace fieldpost {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;
  Json document;
};

std::vector<Case> cases(const std::string& kind) {
  std::vector<Case> found;
  for (const auto& entry : fs::directory_iterator(fs::path(FIELDPOST_CASES) / kind)) {
    std::ifstream file(entry.path());
    found.push_back({entry.path().stem().string(), Json::parse(file)});
  }
  std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return found;
}

std::string test_name(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
}

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<std::string> mistakes(const DocumentError& error, const std::string& own_path) {
  std::vector<std::string> texts;
  for (const Mistake& m : error.mistakes()) {
    std::string text = m.code + " " + m.message;
    if (m.path != own_path) text += " at " + m.path;
    if (!m.hint.empty()) text += "; " + m.hint;
    texts.push_back(text);
  }
  return texts;
}

Plan plan_of(const Json& subscription) {
  return Plan(Json{{"event_id", "content"}, {"subscriptions", Json::array({subscription})}});
}

// Those of a verdict: as JSON, or under "yes_json" and "no_json" as texts, digits and all.
std::vector<std::string> events(const Json& c, const std::string& verdict) {
  std::vector<std::string> texts;
  for (const Json& event : c.value(verdict, Json::array())) texts.push_back(event.dump());
  for (const Json& event : c.value(verdict + "_json", Json::array())) texts.push_back(event);
  return texts;
}

class FilterCase : public testing::TestWithParam<Case> {};

TEST_P(FilterCase, Holds) {
  const Json& c = GetParam().document;
  const Json subscription = {
      {"filter", c.at("filter")}, {"dialect", c.value("dialect", "fieldpost")}, {"body", 1}};
  if (c.contains("errors")) {
    try {
      plan_of(subscription);
      FAIL() << "compiled";
    } catch (const DocumentError& error) {
      EXPECT_EQ(Json(mistakes(error, "$.subscriptions[0].filter")), c.at("errors"));
    }
    return;
  }
  const Plan plan = plan_of(subscription);
  ASSERT_FALSE(events(c, "yes").empty() && events(c, "no").empty());
  for (const std::string& event : events(c, "yes")) {
    EXPECT_EQ(plan.process_event(event)->records.size(), 1U) << event;
  }
  for (const std::string& event : events(c, "no")) {
    EXPECT_EQ(plan.process_event(event)->filtered[0].hashes.size(), 1U) << event;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, FilterCase, testing::ValuesIn(cases("filter")), test_name);

class MappingCase : public testing::TestWithParam<Case> {};

std::vector<std::string> texts(const std::vector<Mistake>& mistakes) {
  std::vector<std::string> texts;
  for (const Mistake& m : mistakes) {
    texts.push_back(m.code + " " + m.message + " at " + m.path +
                    (m.hint.empty() ? "" : "; " + m.hint));
  }
  return texts;
}

TEST_P(MappingCase, Holds) {
  const Json& c = GetParam().document;
  if (c.contains("errors")) {
    try {
      const Expression expression(c.at("mapping"), {});
      FAIL() << "compiled";
    } catch (const DocumentError& error) {
      EXPECT_EQ(Json(texts(error.mistakes())), c.at("errors"));
    }
    return;
  }
  const Expression expression(c.at("mapping"), {});
  if (c.contains("warnings")) {
    EXPECT_EQ(Json(texts(expression.warnings())), c.at("warnings"));
  }
  const std::string event =
      c.contains("event_json") ? c.at("event_json").get<std::string>() : c.at("event").dump();
  if (c.contains("fault")) {
    try {
      expression.apply(event);
      FAIL() << "gave a body";
    } catch (const EventFault& fault) {
      EXPECT_EQ(fault.code + " " + fault.message, c.at("fault").get<std::string>());
    }
    return;
  }
  const std::string body = expression.apply(event);
  if (c.value("undefined", false)) {
    EXPECT_EQ(body, "");
  } else if (c.contains("body_json")) {
    EXPECT_EQ(body, c.at("body_json").get<std::string>());
  } else {
    EXPECT_EQ(Json::parse(body), c.at("body")) << body;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, MappingCase, testing::ValuesIn(cases("mapping")), test_name);

class TransformCase : public testing::TestWithParam<Case> {};

TEST_P(TransformCase, Holds) {
  const Json& c = GetParam().document;
  const std::string path = "$.subscriptions[0].transforms";
  if (c.contains("errors")) {
    try {
      plan_of({{"transforms", c.at("transforms")}});
      FAIL() << "compiled";
    } catch (const DocumentError& error) {
      EXPECT_EQ(Json(texts(error.mistakes())), c.at("errors"));
    }
    return;
  }
  EXPECT_EQ(Json(texts(check_transforms(c.at("transforms"), path).warnings)),
            c.value("warnings", Json::array()));
  const std::string event =
      c.contains("event_json") ? c.at("event_json").get<std::string>() : c.at("event").dump();
  const auto batch = plan_of({{"transforms", c.at("transforms")}}).process_event(event);
  if (c.contains("ended")) {
    ASSERT_EQ(batch->ended.size(), 1U);
    const Ended& ended = batch->ended[0];
    const std::string outcome = ended.invalid ? "invalid " : "dropped ";
    EXPECT_EQ(outcome + ended.code + " " + ended.message, c.at("ended").get<std::string>());
    return;
  }
  ASSERT_EQ(batch->records.size(), 1U);
  const std::string result(batch->text(batch->records[0].body));
  if (c.contains("result_json")) {
    EXPECT_EQ(result, c.at("result_json").get<std::string>());
  } else {
    EXPECT_EQ(Json::parse(result), c.at("result"));
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, TransformCase, testing::ValuesIn(cases("transform")), test_name);

}  // namespace
}  // namespace fieldpost
