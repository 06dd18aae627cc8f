#include "event/object.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/number.h"
#include "base/text.h"

namespace fieldpost {
namespace {

std::string plain_key(std::string_view inside) {
  std::string key;
  append_unescaped(inside, key);
  return key;
}

template <typename Append>
void append_joined(char open, char close, std::string& out, Append append_members) {
  out.push_back(open);
  const std::size_t first = out.size();
  append_members([&] {
    if (out.size() > first) out.push_back(',');
  });
  out.push_back(close);
}

}  // namespace

bool is_index_key(std::string_view key) {
  if (key.empty() || key.size() > 10 || (key[0] == '0' && key.size() > 1)) return false;
  if (key.find_first_not_of("0123456789") != std::string_view::npos) return false;
  std::uint64_t index = 0;
  std::from_chars(key.data(), key.data() + key.size(), index);
  return index < UINT32_MAX;
}

bool comes_first(std::string_view left, std::string_view right) {
  if (!is_index_key(left)) return false;
  if (!is_index_key(right)) return true;
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

std::vector<Member> members_of(Value object) {
  std::vector<Member> found;
  std::unordered_map<std::string, std::size_t> places;
  std::string_view inside;
  Value value;
  for (Members members(object); members.next(inside, value);) {
    std::string key = plain_key(inside);
    const auto [place, is_new] = places.try_emplace(key, found.size());
    if (is_new) {
      found.push_back({std::move(key), value});
    } else {
      found[place->second].value = value;
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const Member& left, const Member& right) {
    return comes_first(left.key, right.key);
  });
  return found;
}

void ObjectText::put(std::string_view key, std::string_view json) {
  const auto [place, is_new] = places_.try_emplace(std::string(key), members_.size());
  if (is_new) {
    members_.emplace_back(key, json);
  } else {
    members_[place->second].second = json;
  }
}

void ObjectText::write(std::string& out) const {
  std::vector<const std::pair<std::string, std::string>*> ordered;
  for (const auto& member : members_) ordered.push_back(&member);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* left, const auto* right) {
    return comes_first(left->first, right->first);
  });
  append_joined('{', '}', out, [&](auto separate) {
    for (const auto* member : ordered) {
      separate();
      append_json_string(member->first, out);
      out.push_back(':');
      out += member->second;
    }
  });
}

void append_stringified(Value value, std::string& out, Digits digits) {
  switch (value.kind()) {
    case Value::Kind::undefined:
      out += "null";
      return;
    case Value::Kind::null:
    case Value::Kind::boolean:
      out += value.token();
      return;
    case Value::Kind::string:
      append_json_string(value.string(), out);
      return;
    case Value::Kind::number:
      if (digits == Digits::own) {
        append_exact_number_text(value.token(), out);
      } else if (std::isinf(parse_number(value.token()))) {
        out += "null";
      } else {
        append_number_text(value.token(), out);
      }
      return;
    case Value::Kind::array:
      append_joined('[', ']', out, [&](auto separate) {
        Value element;
        for (Elements elements(value); elements.next(element);) {
          separate();
          append_stringified(element, out, digits);
        }
      });
      return;
    case Value::Kind::object:
      append_joined('{', '}', out, [&](auto separate) {
        for (const Member& member : members_of(value)) {
          if (member.value.is_undefined()) continue;
          separate();
          append_json_string(member.key, out);
          out.push_back(':');
          append_stringified(member.value, out, digits);
        }
      });
      return;
  }
}

}  // namespace fieldpost
