#include "protocol/dynamics/row_keys.h"

#include <simdjson.h>

#include <utility>
#include <vector>

#include "base/uuid.h"
#include "fieldpost/protocol.h"

namespace fieldpost {

namespace {

namespace ondemand = simdjson::ondemand;

struct Insertion {
  std::size_t offset;  // into the body
  std::string text;    // empty where the node has its key
};

// One walk over a body; the insertions come out in the order of their offsets.
class Walk {
 public:
  Walk(const Tables& tables, const std::function<std::string(std::string_view)>& key_of)
      : tables_(tables), key_of_(key_of) {}

  KeyedBody write(std::string_view body, const Table& root) {
    const simdjson::padded_string padded(body);
    start_ = padded.data();
    ondemand::parser parser;
    ondemand::document document = parser.iterate(padded);
    std::string root_key = node(document.get_object(), body.find('{') + 1, root);
    const bool ended = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    if (!ended) throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
    return {splice(body), std::move(root_key)};
  }

 private:
  // Returns the node's key. `offset` is the place behind its brace.
  std::string node(ondemand::object object, std::size_t offset, const Table& table) {
    const std::size_t place = insertions_.size();
    insertions_.push_back({offset, ""});
    std::string key;
    bool empty = true;
    for (ondemand::field field : object) {
      empty = false;
      const std::string_view name = field.unescaped_key();
      if (name == table.key) {
        key = own_key(field.value());
      } else if (const auto found = table.navigation.find(std::string(name));
                 found != table.navigation.end()) {
        branch(field.value(), found->first, tables_.at(found->second));
      }
    }
    if (!key.empty()) return key;
    key = key_of_(path_);
    insertions_[place].text = "\"" + table.key + "\":\"" + key + (empty ? "\"" : "\",");
    return key;
  }

  // What hangs on a navigation property: an object, or a list of them.
  void branch(ondemand::value value, const std::string& name, const Table& table) {
    const std::size_t length = path_.size();
    path_.append(".").append(name);
    if (value.type() == ondemand::json_type::array) {
      std::size_t index = 0;
      for (ondemand::value element : value.get_array()) {
        const std::size_t without = path_.size();
        path_.append("[").append(std::to_string(index++)).append("]");
        child(element, table);
        path_.resize(without);
      }
    } else {
      child(value, table);
    }
    path_.resize(length);
  }

  void child(ondemand::value value, const Table& table) {
    if (value.type() != ondemand::json_type::object) return;
    const std::string_view brace = value.raw_json_token();
    node(value.get_object(), static_cast<std::size_t>(brace.data() - start_) + 1, table);
  }

  static std::string own_key(ondemand::value value) {
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS || !is_uuid(text)) {
      throw CallFault{"E515", "the body has a primary key that is not a UUID",
                      "mapping: leave the primary key out, or give it a UUID"};
    }
    return std::string(text);
  }

  std::string splice(std::string_view body) const {
    std::string text;
    text.reserve(body.size() + insertions_.size() * 64);
    std::size_t copied = 0;
    for (const Insertion& insertion : insertions_) {
      text.append(body.substr(copied, insertion.offset - copied)).append(insertion.text);
      copied = insertion.offset;
    }
    return text.append(body.substr(copied));
  }

  const Tables& tables_;
  const std::function<std::string(std::string_view)>& key_of_;
  const char* start_ = nullptr;
  std::string path_ = "$";
  std::vector<Insertion> insertions_;
};

}  // namespace

KeyedBody write_row_keys(std::string_view body, const Tables& tables, const Table& root,
                         const std::function<std::string(std::string_view path)>& key_of) {
  try {
    return Walk(tables, key_of).write(body, root);
  } catch (const simdjson::simdjson_error&) {
    throw CallFault{"E513", "the body is not a JSON object", "mapping: map to an object"};
  }
}

}  // namespace fieldpost
