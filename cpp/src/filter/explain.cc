#include "filter/explain.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "filter/evaluator.h"

namespace fieldpost {
namespace {

const char* kind_name(const FilterNode& node) {
  switch (node.kind) {
    case FilterNode::Kind::both:
      return "and";
    case FilterNode::Kind::either:
      return "or";
    case FilterNode::Kind::negation:
      return "not";
    default:
      return "condition";
  }
}

class Writer {
 public:
  Writer(std::string_view text, const Slots& slots) : text_(text), slots_(slots) {}

  void write(const FilterNode& node) {
    out_ += "{\"kind\":\"";
    out_ += kind_name(node);
    out_ += "\",\"begin\":" + std::to_string(characters(text_, node.begin));
    out_ += ",\"end\":" + std::to_string(characters(text_, node.end));
    out_ += ",\"verdict\":";
    out_ += holds(node, slots_, texts_) ? "true" : "false";
    if (node.children.empty()) {
      out_ += ",\"seen\":{";
      std::set<std::string_view> seen;
      lacks_.clear();
      see(node.left, seen);
      see(node.right, seen);
      out_ += "},\"lacks\":[" + lacks_ + "]";
    } else {
      out_ += ",\"children\":[";
      for (const auto& child : node.children) {
        if (&child != &node.children.front()) out_ += ",";
        write(*child);
      }
      out_ += "]";
    }
    out_ += "}";
  }

  std::string take() { return std::move(out_); }

 private:
  void see(const Term& term, std::set<std::string_view>& seen) {
    for (const Term& item : term.items) see(item, seen);
    if (term.kind != Term::Kind::path) return;
    const std::string_view path = text_.substr(term.begin, term.end - term.begin);
    const Value value = read(term, slots_, texts_);
    if (!seen.insert(path).second) return;
    if (value.is_undefined()) {
      if (!lacks_.empty()) lacks_ += ",";
      append_json_string(path, lacks_);
      return;
    }
    if (!out_.ends_with('{')) out_ += ",";
    append_json_string(path, out_);
    out_ += ":";
    value.append_json(out_);
  }

  std::string_view text_;
  const Slots& slots_;
  Texts texts_;
  std::string out_;
  std::string lacks_;  // paths of the condition that is being written
};

}  // namespace

std::size_t characters(std::string_view text, std::size_t bytes) {
  const std::string_view part = text.substr(0, bytes);
  return static_cast<std::size_t>(std::count_if(part.begin(), part.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

std::string explain(const FilterNode& root, std::string_view text, const Slots& slots) {
  Writer writer(text, slots);
  writer.write(root);
  return writer.take();
}

}  // namespace fieldpost
