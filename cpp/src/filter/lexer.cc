#include "filter/lexer.h"

#include <array>
#include <utility>

#include "base/number.h"
#include "base/text.h"
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

constexpr std::size_t kMostKeys = 1024;  // an event is never nested so deeply

// What other languages write.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kMistyped = {
    {{"==", "="}, {"<>", "!="}, {"=>", ">="}, {"=<", "<="}}};

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
    if (c == '[') return single(Token::Kind::list_open);
    if (c == ']') return single(Token::Kind::list_close);
    if (c == ',') return single(Token::Kind::comma);
    if (c == '"' || c == '\'') return string();
    if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return number();
    if (is_name(c) || c == '\\') return path();
    for (const OperatorRow& row : kOperators) {
      if (text_.substr(at_).starts_with(row.text)) return op(row.text);
    }
    if (c == '!') return single(Token::Kind::negation);
    std::string hint;
    if (c == '&') hint = "write \"and\"";
    if (c == '|') hint = "write \"or\"";
    if (c == '`') hint = "write \" or '";
    if (c == '{') hint = "a filter takes a path as it is, such as properties.plan, without {{ }}";
    if (hint.empty() && follows_name()) {
      hint = std::string("a key with ") + c + " is written in brackets: properties['a" + c + "b']";
    }
    fail("E301", "a character that no filter uses", std::move(hint), at_, at_ + 1);
  }

  bool follows_name() const {
    const bool adjoins = !tokens_.empty() && tokens_.back().end == at_;
    return adjoins &&
           (tokens_.back().kind == Token::Kind::word || tokens_.back().kind == Token::Kind::path);
  }

  void op(std::string_view text) {
    const std::string_view two = text_.substr(at_, 2);
    for (const auto& [wrong, right] : kMistyped) {
      if (two != wrong) continue;
      fail("E301", "\"" + std::string(wrong) + "\" is no operator",
           "write \"" + std::string(right) + "\"", at_, at_ + 2);
    }
    at_ += text.size();
    add(Token::Kind::op, at_ - text.size()).text = text;
  }

  void string() {
    const std::size_t begin = at_;
    const char quote = peek();
    std::string value;
    for (++at_; at_ < text_.size() && peek() != quote; ++at_) {
      if (peek() == '\\' && at_ + 1 < text_.size()) {
        escape(value);
      } else {
        value.push_back(peek());
      }
    }
    if (at_ >= text_.size()) {
      fail("E302", "a text without its closing quote", "close it, or write \\ before a quote in it",
           begin, at_);
    }
    ++at_;
    add(Token::Kind::string, begin).text = std::move(value);
  }

  // Stands on the backslash and is left on the last character of the escape.
  void escape(std::string& value) {
    const std::size_t begin = at_++;
    const char c = peek();
    if (c == 'u' && escapes_are_valid(text_.substr(begin, 6))) {
      // A pair of surrogates is one character.
      constexpr std::string_view kHigh = "89aAbB";
      const bool high = (peek(1) | 0x20) == 'd' && kHigh.find(peek(2)) != std::string_view::npos;
      const bool pair =
          high && peek(5) == '\\' && peek(6) == 'u' && escapes_are_valid(text_.substr(begin, 12));
      const std::size_t size = pair ? 12 : 6;
      append_unescaped(text_.substr(begin, size), value);
      at_ = begin + size - 1;
    } else if (c == '"' || c == '\'' || c == '\\' || c == '/') {
      value.push_back(c);
    } else if (c == 'n' || c == 'r' || c == 't') {
      append_unescaped(text_.substr(begin, 2), value);
    } else {
      fail("E301", "an escape that no text uses", "write \\\\ for a backslash", begin, at_ + 1);
    }
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

  // a.b, a['b c'], a[0], $.a, with \ before a character that a name cannot have.
  void path() {
    const std::size_t begin = at_;
    Path path = {name()};
    bool bracketed = false;
    for (;;) {
      if (peek() == '.' && (is_name(peek(1)) || peek(1) == '\\')) {
        const std::size_t key = ++at_;
        path.push_back(name());
        if (text_.substr(key, at_ - key) == "$") {
          fail("E301", "a \"$\" within a path, which finds nothing",
               "write [0] for an element, \"text\" in the list for any of them, ['$'] for a key of "
               "that name",
               begin, at_);
        }
      } else if (peek() == '[' && text_.substr(begin, at_ - begin) != "in") {
        path.push_back(bracket());
        bracketed = true;
      } else {
        break;
      }
    }
    if (path.size() > kMostKeys) fail("E301", "a path of more than 1024 keys", "", begin, at_);
    Token& token = add(path.size() == 1 ? Token::Kind::word : Token::Kind::path, begin);
    if (path.size() > 1 && path[0] == "$") path.erase(path.begin());
    token.text = path[0];
    token.bracketed = bracketed;
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
