#include "protocol/dynamics/values.h"

#include <charconv>
#include <string_view>
#include <unordered_set>

#include "base/letter_case.h"
#include "base/number.h"
#include "base/text.h"
#include "fieldpost/protocol.h"

namespace fieldpost::dynamics {

namespace {

const std::string kNull = "null";

[[noreturn]] void refuse(const std::string& column, const char* what) {
  throw CallFault{"E518", "the value of " + column + " " + what,
                  "record: correct the value in the data or in the mapping, then replay"};
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// A whole number without its fraction: 1.0 of a column with gaps is the choice 1.
std::string number_key_of_whole(std::string_view token) {
  return is_whole_number(token) ? number_key(token) : std::string(token);
}

// The number of one choice: that of its label, or the number that the text is.
std::optional<std::int64_t> number_of(std::string_view label, const Conversion& conversion,
                                      const std::string& column) {
  const std::string_view trimmed = trim(label);
  const auto known = conversion.labels.find(to_lower(trimmed));
  if (known != conversion.labels.end()) return known->second;
  if (const auto number = whole_number(trimmed)) return number;
  switch (conversion.otherwise) {
    case Conversion::Otherwise::omit:
      return std::nullopt;
    case Conversion::Otherwise::number:
      return conversion.number;
    default:
      refuse(column, "is none of the labels of this choice");
  }
}

std::optional<std::string> choice(JsonPart value, const Conversion& conversion,
                                  const std::string& column) {
  if (value.kind == JsonKind::number) return number_key_of_whole(value.json);
  if (value.kind != JsonKind::text) return std::string(value.json);
  if (trim(value.text()).empty()) return kNull;
  const auto number = number_of(value.text(), conversion, column);
  return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

// Each once, in the order of their first: the service takes a number only once.
class Numbers {
 public:
  void add(std::optional<std::int64_t> number) {
    any_ = true;
    if (number && there_.insert(*number).second) numbers_.push_back(*number);
  }
  std::optional<std::string> json() const {
    if (numbers_.empty()) return any_ ? std::nullopt : std::optional(kNull);
    std::string text = "\"";
    for (const std::int64_t number : numbers_) {
      if (text.size() > 1) text.push_back(',');
      text += std::to_string(number);
    }
    return text + "\"";
  }

 private:
  bool any_ = false;  // one was named, although perhaps left out
  std::vector<std::int64_t> numbers_;
  std::unordered_set<std::int64_t> there_;
};

void add_listed(std::string_view text, const Conversion& conversion, const std::string& column,
                Numbers& numbers) {
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view one = text.substr(0, comma);
    if (!trim(one).empty()) numbers.add(number_of(one, conversion, column));
    if (comma == std::string_view::npos) return;
    text.remove_prefix(comma + 1);
  }
}

std::optional<std::string> choices(JsonBody& body, JsonPart value, const Conversion& conversion,
                                   const std::string& column) {
  Numbers numbers;
  const auto add = [&](JsonPart one) {
    if (one.kind == JsonKind::number) {
      const std::optional<std::int64_t> number = whole_number(number_key_of_whole(one.json));
      if (!number) refuse(column, "is no whole number");
      numbers.add(number);
    } else if (one.kind == JsonKind::text) {
      const std::string label = one.text();
      if (!trim(label).empty()) numbers.add(number_of(label, conversion, column));
    } else if (one.kind != JsonKind::null) {
      refuse(column, "is no list of labels or numbers");
    }
  };
  if (value.kind == JsonKind::list) {
    for (const JsonPart one : body.elements(value)) add(one);
  } else if (value.kind == JsonKind::text) {
    const std::string text = value.text();
    // A label may hold a comma itself.
    const bool is_label = conversion.labels.contains(to_lower(trim(text)));
    is_label ? add(value) : add_listed(text, conversion, column, numbers);
  } else {
    add(value);
  }
  return numbers.json();
}

std::optional<std::string> date(JsonPart value, const Conversion& conversion,
                                const std::string& column) {
  if (value.kind != JsonKind::text) refuse(column, "is no date");
  const std::string text = value.text();
  if (trim(text).empty()) return kNull;
  const std::optional<Moment> moment = conversion.zone->parse(trim(text));
  const auto day = moment ? conversion.zone->date(*moment) : std::nullopt;
  if (!day) refuse(column, "is no date");
  return "\"" + *day + "\"";
}

std::optional<std::string> text(JsonPart value, const Conversion& conversion) {
  const bool may_fit = value.json.size() <= conversion.max_length;  // bytes are never fewer
  if (value.kind != JsonKind::text || !conversion.truncate || conversion.max_length == 0 ||
      may_fit) {
    return std::string(value.json);
  }
  std::u16string units = to_utf16(value.text());
  if (units.size() <= conversion.max_length) return std::string(value.json);
  const bool splits_pair = (units[conversion.max_length - 1] & 0xFC00) == 0xD800 &&
                           (units[conversion.max_length] & 0xFC00) == 0xDC00;
  units.resize(conversion.max_length - (splits_pair ? 1 : 0));
  std::string json;
  append_json_string(to_utf8(units), json);
  return json;
}

}  // namespace

std::optional<std::string> converted(JsonBody& body, JsonPart value, const Conversion& conversion,
                                     const std::string& column) {
  switch (conversion.kind) {
    case Conversion::Kind::choice:
      return choice(value, conversion, column);
    case Conversion::Kind::choices:
      return choices(body, value, conversion, column);
    case Conversion::Kind::date:
      return date(value, conversion, column);
    default:
      return text(value, conversion);
  }
}

}  // namespace fieldpost::dynamics
