#include "filter/lexer.h"

#include "base/number.h"
#include "fieldpost/error.h"
#include "filter/operators.h"

namespace fieldpost {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

[[noreturn]] void fail(std::string code, std::string message, std::string hint, std::size_t begin,
                       std::size_t end) {
  throw DocumentError({{std::move(code), std::move(message), "", std::move(hint), begin, end}});
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> run() {
    while (skip_blanks(), at_ < text_.size()) next();
    add(Token::Kind::end, at_);
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_blanks() {
    while (is_blank(peek())) ++at_;
  }
  Token& add(Token::Kind kind, std::size_t begin) {
    tokens_.push_back({});
    Token& token = tokens_.back();
    token.kind = kind;
    token.begin = begin;
    token.end = at_;
    return token;
  }
  void single(Token::Kind kind) {
    ++at_;
    add(kind, at_ - 1);
  }

  void next() {
    const char c = peek();
    if (c == '(') return single(Token::Kind::open);
    if (c == ')') return single(Token::Kind::close);
    if (c == ',') return single(Token::Kind::comma);
    if (c == '"' || c == '\'') return string();
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return number();
    if (is_name(c) || c == '\\') return path();
    for (const OperatorRow& row : kOperators) {
      if (!text_.substr(at_).starts_with(row.text)) continue;
      if (row.text == "=" && peek(1) == '=') {
        fail("E301", "\"==\" is no operator", "write \"=\"", at_, at_ + 2);
      }
      at_ += row.text.size();
      add(Token::Kind::op, at_ - row.text.size()).text = row.text;
      return;
    }
    if (c == '!') return single(Token::Kind::negation);
    fail("E301", "a character that no filter uses", "", at_, at_ + 1);
  }

  void string() {
    const std::size_t begin = at_;
    const char quote = peek();
    std::string value;
    for (++at_; at_ < text_.size() && peek() != quote; ++at_) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      value.push_back(peek());
    }
    if (at_ >= text_.size()) {
      fail("E302", "a text without its closing quote", "close it, or write \\ before a quote in it",
           begin, at_);
    }
    ++at_;
    add(Token::Kind::string, begin).text = std::move(value);
  }

  void number() {
    const std::size_t begin = at_;
    if (peek() == '+') ++at_;
    const std::size_t digits = at_++;
    while (is_digit(peek()) || peek() == '.' || ((peek() | 0x20) == 'e') ||
           ((peek() == '-' || peek() == '+') && (text_[at_ - 1] | 0x20) == 'e')) {
      ++at_;
    }
    const std::string_view token = text_.substr(digits, at_ - digits);
    if (!is_json_number(token)) fail("E301", "not a number", "", begin, at_);
    add(Token::Kind::number, begin).text = token;
  }

  // a.b, a['b c'], a[0], with \ before a character that a name cannot have.
  void path() {
    const std::size_t begin = at_;
    Path path = {name()};
    for (;;) {
      if (peek() == '.' && (is_name(peek(1)) || peek(1) == '\\')) {
        ++at_;
        path.push_back(name());
      } else if (peek() == '[') {
        path.push_back(bracket());
      } else {
        break;
      }
    }
    if (path.size() > 1 && path[0] == "$") path.erase(path.begin());
    Token& token = add(path.size() == 1 ? Token::Kind::word : Token::Kind::path, begin);
    token.text = path[0];
    token.path = std::move(path);
  }

  std::string name() {
    std::string name;
    while (is_name(peek()) || peek() == '-' || peek() == '\\') {
      if (peek() == '\\') ++at_;
      if (at_ >= text_.size()) fail("E301", "nothing after \\", "", at_ - 1, at_);
      name.push_back(text_[at_++]);
    }
    return name;
  }

  std::string bracket() {
    const std::size_t begin = at_++;
    std::string key;
    if (peek() == '"' || peek() == '\'') {
      string();
      key = tokens_.back().text;
      tokens_.pop_back();
    } else {
      while (is_digit(peek())) key.push_back(text_[at_++]);
    }
    if (peek() != ']' || (key.empty() && at_ == begin + 1)) {
      fail("E301", "expected ['key'] or [number]", "", begin, at_);
    }
    ++at_;
    return key;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(std::string_view text) { return Lexer(text).run(); }

}  // namespace fieldpost
