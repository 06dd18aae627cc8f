#include "transform/sample_event.h"

#include <cmath>
#include <utility>

#include "base/digest.h"
#include "event/object.h"

namespace fieldpost {
namespace {

// Evenly spread over [0, 1).
double uniform(std::string_view text) {
  return std::ldexp(static_cast<double>(md5_head(text) >> 11), -53);
}

class SampleEvent : public Transform {
 public:
  SampleEvent(double share, Keys path, std::size_t place)
      : share_(share), path_(std::move(path)), place_(place) {}

  std::optional<Ending> apply(Tree& event, std::string_view identity) const override {
    if (share_ >= 1 || (share_ > 0 && drawn(event, identity) < share_)) return std::nullopt;
    return Ending{"E245", "sample_event left the event out"};
  }

 private:
  double drawn(Tree& event, std::string_view identity) const {
    std::string json;
    if (path_.empty() || !event.read(path_, json)) {
      return uniform(std::to_string(place_) + " " + std::string(identity));
    }
    std::string text;
    append_stringified(Value(json), text);
    return uniform(text);
  }

  double share_;
  Keys path_;  // empty: none
  std::size_t place_;
};

}  // namespace

TransformPtr make_sample_event(const Json& options, Form form, std::size_t place,
                               const std::string& path, Author& author) {
  const std::string example = "such as {percent: 0.25, path: userId}";
  if (!options.is_object()) {
    author.expected("an object with percent, and perhaps path", options, path, example);
    return nullptr;
  }
  author.unknown_keys(options, {"percent", "path"}, "sample_event", path);
  double share = 0;
  if (!options.contains("percent")) {
    author.mistake("E242", "percent is missing", path, example);
  } else if (!options.at("percent").is_number()) {
    author.expected("a number from 0 to 1", options.at("percent"), below(path, "percent"), example);
  } else {
    share = options.at("percent").get<double>();
    if (form == Form::own && !(share >= 0 && share <= 1)) {
      author.mistake("E241", "percent is a share from 0 to 1", below(path, "percent"),
                     "write 0.25 for a quarter");
    }
  }
  Keys keys;
  const bool has_path = options.contains("path") && !options.at("path").is_null();
  if (has_path && !options.at("path").is_string()) {
    author.expected("a path such as userId", options.at("path"), below(path, "path"));
  } else if (has_path && options.at("path") != "") {
    keys = author.dotted(options.at("path").get<std::string>(), form, below(path, "path"));
  }
  if (form == Form::segment && !keys.empty() && share > 0 && share < 1) {
    author.warn("E248", "Segment's library for browsers lets every event through here", path,
                "write - sample_event: {percent: " + options.at("percent").dump() +
                    ", path: " + options.at("path").get<std::string>() + "} to sample");
    share = 1;
  }
  return std::make_unique<SampleEvent>(share, std::move(keys), place);
}

}  // namespace fieldpost
