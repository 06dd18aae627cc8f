#include "filter/parser.h"

#include <algorithm>
#include <array>

#include "base/number.h"
#include "fieldpost/error.h"
#include "filter/checks.h"
#include "filter/functions.h"
#include "filter/lexer.h"

namespace fieldpost {
namespace {

using Kind = Token::Kind;

constexpr int kDeepest = 200;

// Fields at the top of an event. Only these need no "$." where a forgotten quote would look the
// same.
constexpr std::array<std::string_view, 16> kEventFields = {
    "type",    "event",      "name",      "userId",  "anonymousId", "messageId",
    "groupId", "previousId", "timestamp", "sentAt",  "receivedAt",  "originalTimestamp",
    "channel", "version",    "category",  "writeKey"};

bool is_event_field(std::string_view word) {
  return std::find(kEventFields.begin(), kEventFields.end(), word) != kEventFields.end();
}

std::string lower(std::string_view word) {
  std::string text(word);
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
  return text;
}

class Parser {
 public:
  Parser(std::string_view text, const Grammar& grammar, Selection& selection)
      : text_(text), tokens_(lex(text)), grammar_(grammar), selection_(selection) {}

  FilterNodePtr run() {
    if (peek().kind == Kind::end) {
      fail("E301", "an empty filter", "write \"all\" to let every event through");
    }
    FilterNodePtr root = chain(0);
    if (peek().kind != Kind::end) fail_after_condition();
    return root;
  }

 private:
  const Token& peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& take() { return tokens_[at_++]; }
  bool is_word(std::string_view word) const {
    return peek().kind == Kind::word && peek().text == word;
  }
  [[noreturn]] void fail(std::string code, std::string message, std::string hint) const {
    throw DocumentError(
        {{std::move(code), std::move(message), "", std::move(hint), peek().begin, peek().end}});
  }
  [[noreturn]] void fail_after_condition() const {
    std::string hint;
    if (peek().kind == Kind::word) hint = hint_for_word(lower(peek().text));
    if (peek().kind == Kind::op) hint = "what stands in parentheses cannot be compared";
    if (peek().kind == Kind::close) hint = "there is no \"(\" for this \")\"";
    fail("E301", "expected \"and\", \"or\" or the end", hint);
  }
  // For a word behind a condition, which other languages write there.
  std::string hint_for_word(const std::string& word) const {
    if (word == "and" || word == "or" || word == "in") return "write \"" + word + "\"";
    if (word == "not") return "write ! before what is to be negated";
    const Token& before = tokens_[at_ - 1];
    if (before.kind != Kind::word && before.kind != Kind::path) return "";
    const std::string field(text_.substr(before.begin, before.end - before.begin));
    if (word == "exists" || word == "exist") return "write " + field + " != null";
    if (word == "is" || word == "equals") {
      const bool negated = peek(1).kind == Kind::word && lower(peek(1).text) == "not";
      return std::string("write ") + (negated ? "!=" : "=");
    }
    if (word == "contains" || word == "match" || word == "like" || word == "matches") {
      const std::string name = word == "contains" ? "contains" : "match";
      return "write " + name + "(" + field + ", \"text\")";
    }
    if (before.path.size() < 2 || before.bracketed) return "";
    const std::string parent = field.substr(0, field.rfind('.'));
    return "a key with a blank is written " + parent + "['" + before.path.back() + " " +
           peek().text + "']";
  }
  void too_deep(int depth) const {
    if (depth > kDeepest) fail("E301", "too many parentheses", "");
  }

  static FilterNodePtr make(FilterNode::Kind kind, std::size_t begin) {
    auto node = std::make_unique<FilterNode>();
    node->kind = kind;
    node->begin = begin;
    return node;
  }
  Term make_term() const {
    Term term;
    term.numbers = grammar_.numbers;
    return term;
  }
  FilterNodePtr ended(FilterNodePtr node) {
    node->end = tokens_[at_ - 1].end;
    return node;
  }

  FilterNodePtr chain(int depth) {
    too_deep(depth);
    const std::size_t begin = peek().begin;
    FilterNodePtr first = unary(depth);
    if (!is_word("and") && !is_word("or")) return first;
    const std::string word = peek().text;
    FilterNodePtr group =
        make(word == "and" ? FilterNode::Kind::both : FilterNode::Kind::either, begin);
    group->children.push_back(std::move(first));
    while (is_word(word)) {
      take();
      group->children.push_back(unary(depth));
    }
    if (is_word("and") || is_word("or")) {
      fail("E303", "\"and\" and \"or\" side by side",
           "put parentheses around the part that belongs together");
    }
    return ended(std::move(group));
  }

  FilterNodePtr unary(int depth) {
    too_deep(depth);
    const std::size_t begin = peek().begin;
    if (peek().kind == Kind::negation) {
      take();
      FilterNodePtr node = make(FilterNode::Kind::negation, begin);
      node->children.push_back(unary(depth + 1));
      return ended(std::move(node));
    }
    if (peek().kind == Kind::open) {
      take();
      FilterNodePtr group = chain(depth + 1);
      if (peek().kind != Kind::close) fail("E301", "expected \")\"", "");
      take();
      return group;
    }
    if (is_word("all") && is_alone(peek(1))) {
      take();
      return ended(make(FilterNode::Kind::all, begin));
    }
    return condition(depth);
  }

  static bool is_alone(const Token& next) {
    const bool is_in = next.kind == Kind::word && next.text == "in";
    return next.kind != Kind::op && next.kind != Kind::open && !is_in;
  }

  FilterNodePtr condition(int depth) {
    const std::size_t begin = peek().begin;
    if (peek().kind == Kind::word && lower(peek().text) == "not" && is_alone(peek(1))) {
      fail("E301", "\"" + peek().text + "\" is no operator", "write !");
    }
    const bool is_text_field = peek().kind == Kind::word && is_event_field(peek().text);
    FilterNodePtr node = make(FilterNode::Kind::truth, begin);
    node->left = value(depth, true);
    if (peek().kind == Kind::op) {
      node->kind = FilterNode::Kind::comparison;
      const OperatorRow& row = *operator_row(take().text);
      node->op = row.op;
      node->right = value(depth, false);
    } else if (is_word("in")) {
      node->kind = FilterNode::Kind::comparison;
      node->op = Operator::in;
      take();
      node->right = list(depth);
    } else if (is_text_field && !grammar_.constants && ends_condition()) {
      const Token& field = tokens_[at_ - 1];
      throw DocumentError(
          {{"E306", field.text + " holds a text, which is never true alone", "",
            "compare it, as in " + field.text + " != null", field.begin, field.end}});
    }
    node = ended(std::move(node));
    check(*node, grammar_);
    return node;
  }

  bool ends_condition() const {
    return peek().kind == Kind::end || peek().kind == Kind::close || is_word("and") ||
           is_word("or");
  }

  Term list(int depth) {
    const bool is_path =
        peek().kind == Kind::path || (peek().kind == Kind::word && !is_literal_word());
    if (peek().kind != Kind::list_open && !is_path) {
      fail("E311", "\"in\" needs a list or the path of one", "write [\"a\", \"b\"] behind it");
    }
    if (is_path && !grammar_.lists_of_events) {
      fail("E340",
           "Segment's documentation finds elements of an event's list, its evaluator does not",
           "fieldpost's own dialect finds them");
    }
    if (is_path) return value(depth, false);
    Term term = make_term();
    term.kind = Term::Kind::list;
    term.begin = take().begin;
    if (peek().kind != Kind::list_close) {
      term.items.push_back(value(depth + 1, false));
      while (peek().kind == Kind::comma) {
        take();
        term.items.push_back(value(depth + 1, false));
      }
    }
    if (peek().kind != Kind::list_close) fail("E301", "expected \",\" or \"]\"", "");
    term.end = take().end;
    return term;
  }

  bool is_literal_word() const { return is_word("true") || is_word("false") || is_word("null"); }

  // `first`: where a condition begins, so that a word can only be a field.
  Term value(int depth, bool first) {
    too_deep(depth);
    if (peek().kind == Kind::word || peek().kind == Kind::path) {
      if (peek(1).kind == Kind::open) return function_call(depth);
      if (!is_literal_word()) return path(first);
    }
    Term term = make_term();
    term.begin = peek().begin;
    Literal& literal = term.literal;
    if (peek().kind == Kind::string) {
      literal.kind = Literal::Kind::string;
      literal.text = peek().text;
    } else if (peek().kind == Kind::number) {
      literal.kind = Literal::Kind::number;
      literal.number = parse_number(peek().text);
      literal.text = peek().text;
    } else if (is_word("true") || is_word("false")) {
      literal.kind = Literal::Kind::boolean;
      literal.truth = peek().text == "true";
    } else if (!is_word("null")) {
      fail_for_value(first);
    }
    term.end = take().end;
    return term;
  }

  [[noreturn]] void fail_for_value(bool first) const {
    if (peek().kind == Kind::list_open) {
      fail("E311", "a list is compared with \"in\" only", "write … in […]");
    }
    if (first) fail("E301", "expected a field such as type or properties.plan", "");
    fail("E301", "expected a text in quotes, a number, true, false, null or a field", "");
  }

  Term path(bool first) {
    const Token& token = peek();
    const bool is_keyword = token.kind == Kind::word &&
                            (token.text == "and" || token.text == "or" || token.text == "in");
    if (is_keyword) {
      fail("E301", "expected a field or a value before \"" + token.text + "\"",
           "write $." + token.text + " for a field of that name");
    }
    if (!first && token.kind == Kind::word && !is_event_field(token.text)) {
      fail("E313", "a word without quotes",
           "write \"" + token.text + "\" for the text, or $." + token.text + " for the field");
    }
    if (token.bracketed && !grammar_.brackets) {
      fail("E341", "Segment's filters have no brackets in a path",
           "fieldpost's own dialect has them");
    }
    Term term = make_term();
    term.kind = Term::Kind::path;
    term.slot = selection_.slot(token.path);
    if (token.path.size() > 1) {
      term.parent = selection_.slot(Path(token.path.begin(), token.path.end() - 1));
      term.ends_in_length = token.path.back() == "length";
    }
    term.begin = token.begin;
    term.end = take().end;
    return term;
  }

  Term function_call(int depth) {
    const std::string name = peek().text;
    const FunctionRow* row = peek().kind == Kind::word ? function_row(name) : nullptr;
    if (row == nullptr) fail_for_function(name);
    Term term = make_term();
    term.kind = Term::Kind::call;
    term.function = row;
    term.begin = take().begin;
    take();
    if (peek().kind != Kind::close) {
      term.items.push_back(value(depth + 1, true));
      while (peek().kind == Kind::comma) {
        take();
        term.items.push_back(value(depth + 1, false));
      }
    }
    if (peek().kind != Kind::close) fail("E301", "expected \",\" or \")\"", "");
    term.end = take().end;
    check_arguments(term, grammar_);
    return term;
  }

  [[noreturn]] void fail_for_function(const std::string& name) const {
    std::vector<std::string> names;
    for (const FunctionRow& row : kFunctions) names.emplace_back(row.name);
    const std::string near = did_you_mean(name, names);
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
    if (name == "and" || name == "or") {
      fail("E301", "expected a condition before \"" + name + "\"", "");
    }
    if (lower(name) == "not") {
      fail("E304", "an unknown function " + name + "()", "write ! before the parentheses");
    }
    fail("E304", "an unknown function " + name + "()",
         near.empty() ? "known: " + known : "did you mean " + near + "()?");
  }

  std::string_view text_;
  std::vector<Token> tokens_;
  const Grammar& grammar_;
  Selection& selection_;
  std::size_t at_ = 0;
};

}  // namespace

FilterNodePtr parse_filter(std::string_view text, const Grammar& grammar, Selection& selection) {
  return Parser(text, grammar, selection).run();
}

}  // namespace fieldpost
