#include "filter/parser.h"

#include "base/number.h"
#include "fieldpost/error.h"
#include "filter/lexer.h"

namespace fieldpost {
namespace {

using NodePtr = std::unique_ptr<FilterNode>;
using Kind = Token::Kind;

constexpr int kDeepest = 200;

NodePtr make(FilterNode::Kind kind) {
  auto node = std::make_unique<FilterNode>();
  node->kind = kind;
  return node;
}

class Parser {
 public:
  Parser(std::string_view text, Selection& selection) : tokens_(lex(text)), selection_(selection) {}

  NodePtr run() {
    if (peek().kind == Kind::end) {
      fail("E301", "an empty filter", "write \"all\" to let every event through");
    }
    NodePtr root = chain(0);
    if (peek().kind != Kind::end) fail("E301", "expected \"and\", \"or\" or the end", "");
    return root;
  }

 private:
  const Token& peek() const { return tokens_[at_]; }
  const Token& take() { return tokens_[at_++]; }
  bool is_word(std::string_view word) const {
    return peek().kind == Kind::word && peek().text == word;
  }
  [[noreturn]] void fail(std::string code, std::string message, std::string hint) const {
    throw DocumentError(
        {{std::move(code), std::move(message), "", std::move(hint), peek().begin, peek().end}});
  }

  NodePtr chain(int depth) {
    if (depth > kDeepest) fail("E301", "too many parentheses", "");
    NodePtr first = unary(depth);
    if (!is_word("and") && !is_word("or")) return first;
    const std::string word = peek().text;
    NodePtr group = make(word == "and" ? FilterNode::Kind::both : FilterNode::Kind::either);
    group->children.push_back(std::move(first));
    while (is_word(word)) {
      take();
      group->children.push_back(unary(depth));
    }
    if (is_word("and") || is_word("or")) {
      fail("E303", "\"and\" and \"or\" side by side",
           "put parentheses around the part that belongs together");
    }
    return group;
  }

  NodePtr unary(int depth) {
    if (depth > kDeepest) fail("E301", "too many parentheses", "");
    if (peek().kind == Kind::negation) {
      take();
      NodePtr node = make(FilterNode::Kind::negation);
      node->children.push_back(unary(depth + 1));
      return node;
    }
    if (peek().kind == Kind::open) {
      take();
      NodePtr group = chain(depth + 1);
      if (peek().kind != Kind::close) fail("E301", "expected \")\"", "");
      take();
      return group;
    }
    if (is_word("all") && tokens_[at_ + 1].kind != Kind::op) {
      take();
      return make(FilterNode::Kind::all);
    }
    return comparison();
  }

  NodePtr comparison() {
    if (peek().kind != Kind::word && peek().kind != Kind::path) {
      fail("E301", "expected a field such as type or properties.plan", "");
    }
    if (tokens_[at_ + 1].kind == Kind::open) {
      fail("E304", "functions such as " + peek().text + "() are not in this version", "");
    }
    NodePtr node = make(FilterNode::Kind::comparison);
    node->slot = selection_.slot(take().path);
    if (peek().kind != Kind::op) {
      fail("E301", "expected one of = != < <= > >= after the field", "");
    }
    const OperatorRow& row = row_of(take().text);
    node->op = row.op;
    node->literal = literal();
    if (row.orders && node->literal.kind != Literal::Kind::number) {
      --at_;
      fail("E305", "\"" + std::string(row.text) + "\" compares numbers",
           "write a number without quotes");
    }
    return node;
  }

  static const OperatorRow& row_of(std::string_view text) {
    for (const OperatorRow& row : kOperators) {
      if (row.text == text) return row;
    }
    return kOperators[0];
  }

  Literal literal() {
    Literal literal;
    if (peek().kind == Kind::string) {
      literal.kind = Literal::Kind::string;
      literal.text = peek().text;
    } else if (peek().kind == Kind::number) {
      literal.kind = Literal::Kind::number;
      literal.number = parse_number(peek().text);
    } else if (is_word("true") || is_word("false")) {
      literal.kind = Literal::Kind::boolean;
      literal.truth = peek().text == "true";
    } else if (!is_word("null")) {
      fail("E301", "expected a text in quotes, a number, true, false or null",
           peek().kind == Kind::word ? "put quotes around " + peek().text : "");
    }
    take();
    return literal;
  }

  std::vector<Token> tokens_;
  Selection& selection_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<FilterNode> parse_filter(std::string_view text, Selection& selection) {
  return Parser(text, selection).run();
}

}  // namespace fieldpost
