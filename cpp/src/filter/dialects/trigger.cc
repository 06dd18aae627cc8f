// Segment's trigger filters. A text is read as it is written, with Segment's meaning of each
// condition; where Segment's own reader would take the text for something else (it skips what it
// does not know and groups by the last "and" or "or"), the text is refused and the rule named.
#include <algorithm>
#include <array>

#include "base/number.h"
#include "base/text.h"
#include "fieldpost/error.h"
#include "filter/dialects.h"
#include "filter/dialects/trigger_lexer.h"
#include "filter/dialects/trigger_shape.h"

namespace fieldpost {
namespace {

using Kind = TriggerToken::Kind;

constexpr int kDeepest = 200;
constexpr std::size_t kMostKeys = 1024;  // an event is never nested so deeply

// Every object in JavaScript has these, so Segment finds them in events that do not.
constexpr std::array<std::string_view, 12> kInherited = {
    "constructor",      "hasOwnProperty",   "isPrototypeOf",    "propertyIsEnumerable",
    "toLocaleString",   "toString",         "valueOf",          "__proto__",
    "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"};

[[noreturn]] void fail(std::string code, std::string message, std::string hint,
                       const TriggerToken& at) {
  throw DocumentError(
      {{std::move(code), std::move(message), "", std::move(hint), at.begin, at.end}});
}

struct Parsed {
  FilterNodePtr node;
  Shape shape;
};

class Parser {
 public:
  Parser(std::string_view text, Selection& selection)
      : tokens_(lex_trigger(text)), selection_(selection) {
    end_.begin = end_.end = text.size();
    end_.text = "the end";
  }

  FilterNodePtr run() {
    if (tokens_.empty()) {
      fail("E301", "an empty filter", "Segment's mappings have at least one condition", end_);
    }
    Parsed root = chain(0);
    if (at_ < tokens_.size()) fail_for_stray();
    const std::optional<Shape> segment = segment_shape(tokens_);
    if (!segment) {
      fail("E327",
           "Segment cannot read parentheses inside parentheses, so the filter never matches",
           "write it in fieldpost's own dialect", tokens_[first_open_]);
    }
    if (*segment != root.shape) {
      fail("E327", "Segment ends these parentheses at the first \")\", which is a function's",
           "put the function last within them, or write it in fieldpost's own dialect",
           tokens_[first_open_]);
    }
    return std::move(root.node);
  }

 private:
  const TriggerToken& peek(std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() ? tokens_[at_ + ahead] : end_;
  }
  const TriggerToken& take() { return at_ < tokens_.size() ? tokens_[at_++] : end_; }

  [[noreturn]] void fail_for_stray() const {
    if (peek().is(")")) fail("E322", "Segment skips a \")\" without its \"(\"", "", peek());
    if (peek().kind == Kind::joiner) fail("E322", "a second \"" + peek().text + "\"", "", peek());
    if (peek().kind == Kind::name && ascii_lower(peek().text) == "or") {
      fail("E322", "Segment skips \"" + peek().text + "\" and joins what is around it by \"and\"",
           "write or", peek());
    }
    fail("E322", "Segment skips what stands here, or reads it as the next condition",
         peek().is(",") ? "write and" : "expected \"and\", \"or\" or the end", peek());
  }

  // "and" or "or", else "". Segment skips an AND, and what nothing joins it joins by "and".
  std::string joiner_here() const {
    if (peek().kind == Kind::joiner) return peek().text;
    return peek().kind == Kind::name && ascii_lower(peek().text) == "and" ? "and" : "";
  }

  Parsed chain(int depth) {
    if (depth > kDeepest) fail("E301", "too many parentheses", "", peek());
    const std::size_t begin = peek().begin;
    std::vector<Parsed> parts;
    parts.push_back(unit(depth));
    const std::string joiner = joiner_here();
    while (!joiner_here().empty()) {
      if (joiner_here() != joiner) {
        fail("E303", "\"and\" and \"or\" side by side",
             "Segment joins all of them by the last one; put parentheses around what belongs "
             "together",
             peek());
      }
      take();
      parts.push_back(unit(depth));
    }
    if (parts.size() == 1) return std::move(parts[0]);
    return group(joiner, begin, std::move(parts));
  }

  Parsed group(const std::string& joiner, std::size_t begin, std::vector<Parsed> parts) const {
    auto node = std::make_unique<FilterNode>();
    node->kind = joiner == "and" ? FilterNode::Kind::both : FilterNode::Kind::either;
    node->begin = begin;
    node->end = tokens_[at_ - 1].end;
    std::vector<Shape> shapes;
    for (Parsed& part : parts) {
      node->children.push_back(std::move(part.node));
      shapes.push_back(std::move(part.shape));
    }
    return {std::move(node), Shape::group(joiner, std::move(shapes))};
  }

  Parsed unit(int depth) {
    if (peek().is("(")) {
      if (first_open_ == kNone) first_open_ = at_;
      take();
      Parsed inside = chain(depth + 1);
      if (!peek().is(")")) {
        if (&peek() != &end_) fail_for_stray();
        fail("E320", "Segment cannot read this: parentheses that do not close", "", peek());
      }
      take();
      return inside;
    }
    const std::size_t first = at_;
    const bool negated = peek().is("!");
    if (negated && !is_trigger_function(peek(1))) {
      fail("E321", "Segment drops this \"!\": the filter would match what it should not",
           "negate the operator, or write it in fieldpost's own dialect", peek());
    }
    FilterNodePtr node = negated || is_trigger_function(peek()) ? function(negated) : comparison();
    node->begin = tokens_[first].begin;
    node->end = tokens_[at_ - 1].end;
    return {std::move(node), Shape{negated ? first + 1 : first, "", {}}};
  }

  FilterNodePtr comparison() {
    const TriggerToken& field = take();
    if (!is_trigger_field(field)) fail_for_field(field);
    auto node = std::make_unique<FilterNode>();
    node->kind = FilterNode::Kind::comparison;
    if (peek().is(".")) fail_for_operator(peek());
    node->left = path(field);
    const TriggerToken& op = take();
    const OperatorRow* row = op.kind == Kind::op ? operator_row(op.text) : nullptr;
    if (row == nullptr) fail_for_operator(op);
    node->op = row->op;
    compare_with(*node, field.text.find('.') == std::string::npos ? field.text : "", take());
    return node;
  }

  [[noreturn]] void fail_for_field(const TriggerToken& field) const {
    if (field.kind != Kind::name) {
      fail("E322", "Segment skips what stands here", "expected a field such as type or traits.plan",
           field);
    }
    if (peek().is("(")) {
      fail("E304", "Segment's triggers have no function " + field.text + "()",
           "it skips the name; known: contains, match", field);
    }
    if (ascii_lower(field.text) == "not") {
      fail("E321",
           "Segment skips \"" + field.text + "\": the filter would match what it should not",
           "negate the operator, or write it in fieldpost's own dialect", field);
    }
    const std::string near = did_you_mean(
        field.text, {"type", "event", "name", "userId", "properties", "traits", "context"});
    fail("E323", "Segment leaves out conditions on \"" + field.text + "\", so the filter widens",
         near.empty() ? "it knows type, event, name, userId, properties, traits and context"
                      : "did you mean " + near + "?",
         field);
  }

  [[noreturn]] void fail_for_operator(const TriggerToken& op) const {
    if (&op == &end_) fail("E320", "Segment cannot read this: a field alone", "", op);
    const bool element = op.is(".");
    fail("E329", "Segment takes this for the operator and never matches",
         element ? "write \\ before a key that begins with a digit or is and, or, null"
                 : hint_for_operator(ascii_lower(op.text)),
         op);
  }

  // The cure for an operator of another language.
  static std::string hint_for_operator(const std::string& word) {
    if (word == "is" || word == "equals") return "write =";
    if (word == "exists" || word == "exist") return "write != null";
    return "expected one of = != < <= > >=";
  }

  // The path of a field; nothing else of the event can be reached.
  Term path(const TriggerToken& field) {
    Term term;
    term.kind = Term::Kind::path;
    term.begin = field.begin;
    term.end = field.end;
    const std::size_t dot = field.text.find('.');
    const std::string word = field.text.substr(0, dot);
    const bool nests = word == "properties" || word == "traits" || word == "context";
    if (!nests && dot != std::string::npos) {
      fail("E330", "Segment reads " + word + " and ignores the rest of the path", "write " + word,
           field);
    }
    if (nests && dot == std::string::npos) {
      fail("E330", "Segment reads " + word + "." + word + " here", "name a key of " + word, field);
    }
    Path keys = {word};
    if (nests) add_keys(field, dot + 1, keys);
    if (keys.size() > kMostKeys) fail("E301", "a path of more than 1024 keys", "", field);
    term.slot = selection_.slot(keys);
    return term;
  }

  static void add_keys(const TriggerToken& field, std::size_t at, Path& keys) {
    std::string key;
    const auto finish = [&] {
      if (key.empty()) return;
      if (std::find(kInherited.begin(), kInherited.end(), key) != kInherited.end()) {
        fail("E330", "every object has a \"" + key + "\" for Segment",
             "write it in fieldpost's own dialect", field);
      }
      keys.push_back(std::move(key));
      key.clear();
    };
    const std::size_t words = keys.size();
    for (; at < field.text.size(); ++at) {
      const char c = field.text[at];
      if (c == '.' && field.how[at] == 'e') {
        fail("E330", "Segment reads an escaped dot as any other: keys with dots cannot be reached",
             "write it in fieldpost's own dialect, as properties['a.b']", field);
      }
      if (c == '.' || c == '[' || c == ']') {
        finish();
      } else {
        key.push_back(c);
      }
    }
    finish();
    if (keys.size() == words) fail("E330", "a path without a key", "", field);
  }

  // `top` is the field where it is one of type, event, name and userId, else "".
  static void compare_with(FilterNode& node, const std::string& top, const TriggerToken& value) {
    Literal& literal = node.right.literal;
    node.right.begin = value.begin;
    node.right.end = value.end;
    if (node.op != Operator::equal && node.op != Operator::not_equal) {
      literal.kind = Literal::Kind::number;
      literal.number = size(value);
      return;
    }
    const bool is_truth =
        value.kind == Kind::name && (value.text == "true" || value.text == "false");
    if (value.kind == Kind::null) {
      if (top == "type" || top == "event") {
        fail("E326", "Segment compares " + top + " with the text \"null\" here",
             "write != \"null\" for that, or = null in fieldpost's own dialect", value);
      }
    } else if (is_truth && node.op == Operator::not_equal) {
      fail("E325",
           "Segment compares with the text \"" + value.text + "\" here, so " + value.text +
               " itself passes too",
           "write = " + std::string(value.text == "true" ? "false" : "true") +
               ", or use fieldpost's own dialect",
           value);
    } else if (is_truth && (top.empty() || top == "userId")) {
      literal.kind = Literal::Kind::boolean;
      literal.truth = value.text == "true";
    } else if (value.kind == Kind::number && top.empty()) {
      literal.kind = Literal::Kind::number;
      literal.number = number(value);
      if (node.op == Operator::not_equal) node.op = Operator::other_number;
    } else {
      literal.kind = Literal::Kind::string;
      literal.text = text(value);
    }
  }

  static double number(const TriggerToken& value) {
    const std::size_t sign = value.text[0] == '+' ? 1 : 0;
    std::string_view digits = std::string_view(value.text).substr(sign);
    // Segment reads 007 as 7.
    const std::size_t zeros = digits.starts_with('-') ? 1 : 0;
    std::string plain(digits.substr(0, zeros));
    digits.remove_prefix(zeros);
    while (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') digits.remove_prefix(1);
    plain += digits;
    if (!is_json_number(plain)) fail("E329", "not a number", "", value);
    return parse_number(plain);
  }

  // What an order comparison compares with.
  static double size(const TriggerToken& value) {
    if (value.kind == Kind::number) return number(value);
    fail_for_op_value(value);
    if (value.kind == Kind::mark) text(value);
    if (value.kind == Kind::string && value.text[0] == '"') {
      const std::string_view inside = std::string_view(value.text).substr(1, value.text.size() - 2);
      if (is_json_number(inside)) return parse_number(inside);
    }
    fail("E305", "order comparisons compare numbers, and this is none for Segment",
         "write a number without quotes", value);
  }

  static void fail_for_op_value(const TriggerToken& value) {
    if (value.kind == Kind::op) {
      fail("E329", "Segment takes this for the value and never matches",
           "write one operator with blanks around it", value);
    }
  }

  // What Segment makes a text of.
  static std::string text(const TriggerToken& value) {
    fail_for_op_value(value);
    switch (value.kind) {
      case Kind::string:
        if (value.text[0] == '\'') {
          fail("E324", "single quotes belong to the text for Segment", "write double quotes",
               value);
        }
        return value.text.substr(1, value.text.size() - 2);
      case Kind::number:
        if (number_text(number(value)) != value.text) {
          fail("E332", "Segment writes this number otherwise before it compares it as a text",
               "put it in quotes", value);
        }
        return value.text;
      case Kind::name:
        if (value.text.find('.') != std::string::npos || is_trigger_field(value)) {
          fail("E331", "Segment compares with the text \"" + value.text + "\", not with that field",
               "write quotes around it, or use fieldpost's own dialect to compare fields", value);
        }
        return value.text;
      default:
        fail("E320", "Segment finds no value here", "write a text in double quotes or a number",
             value);
    }
  }

  // [!] contains(field, "text") or match(field, "text*").
  FilterNodePtr function(bool negated) {
    if (negated) take();
    const TriggerToken& name = take();
    expect("(", name);
    const TriggerToken& field = take();
    if (!is_trigger_field(field) || field.text == "type") {
      fail("E323", "Segment leaves out " + name.text + "() of this, so the filter widens",
           "it knows event, name, userId, properties, traits and context there", field);
    }
    auto node = std::make_unique<FilterNode>();
    node->kind = FilterNode::Kind::comparison;
    if (peek().is(".")) fail_for_operator(peek());
    node->left = path(field);
    expect(",", name);
    const TriggerToken& value = take();
    node->right.begin = value.begin;
    node->right.end = value.end;
    node->right.literal.kind = Literal::Kind::string;
    if (name.text == "contains") {
      node->op = negated ? Operator::lacks_text : Operator::has_text;
      node->right.literal.text = text(value);
    } else {
      pattern(*node, negated, value);
    }
    expect(")", name);
    return node;
  }

  void expect(std::string_view mark, const TriggerToken& name) {
    if (!peek().is(mark)) {
      fail("E322", name.text + "() takes a field and a text",
           "expected \"" + std::string(mark) + "\"", peek());
    }
    take();
  }

  // Segment looks at one end of the pattern only.
  static void pattern(FilterNode& node, bool negated, const TriggerToken& value) {
    if (value.kind != Kind::string) {
      fail("E328", "match() takes a pattern in double quotes", "", value);
    }
    std::string text = Parser::text(value);
    const bool at_end = text.ends_with('*');
    if (!at_end && !text.starts_with('*')) {
      fail("E328", "Segment cuts off the first character of a pattern without \"*\"",
           "write \"text*\", \"*text\", or = \"text\"", value);
    }
    text = at_end ? text.substr(0, text.size() - 1) : text.substr(1);
    if (text.find_first_of("*[\\") != std::string::npos) {
      fail("E328", "Segment knows one \"*\", first or last, and takes the rest as it stands",
           "write contains(), or the pattern in fieldpost's own dialect", value);
    }
    node.op = at_end ? (negated ? Operator::starts_not_with : Operator::starts_with)
                     : (negated ? Operator::ends_not_with : Operator::ends_with);
    node.right.literal.text = std::move(text);
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::vector<TriggerToken> tokens_;
  TriggerToken end_;
  Selection& selection_;
  std::size_t at_ = 0;
  std::size_t first_open_ = kNone;
};

}  // namespace

FilterNodePtr parse_trigger(std::string_view text, Selection& selection) {
  return Parser(text, selection).run();
}

}  // namespace fieldpost
