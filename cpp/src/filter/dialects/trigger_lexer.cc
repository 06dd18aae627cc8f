#include "filter/dialects/trigger_lexer.h"

#include "fieldpost/error.h"

namespace fieldpost {
namespace {

using Kind = TriggerToken::Kind;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '\\'; }

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<TriggerToken> run() {
    while (at_ < text_.size()) {
      if (is_blank(text_[at_])) {
        ++at_;
      } else {
        begin_ = at_;
        next();
      }
    }
    return join_names();
  }

 private:
  [[noreturn]] static void fail(const std::string& message, std::string hint, std::size_t begin,
                                std::size_t end) {
    throw DocumentError(
        {{"E320", "Segment cannot read this: " + message, "", std::move(hint), begin, end}});
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool ends_word() const {
    if (at_ >= text_.size()) return true;
    const char c = text_[at_];
    return is_blank(c) || c == ',' || c == ']' || c == ')';
  }

  void add(Kind kind, std::string text) {
    TriggerToken token;
    token.kind = kind;
    token.text = std::move(text);
    token.begin = begin_;
    token.end = at_;
    tokens_.push_back(std::move(token));
  }

  // Takes `rest` where it stands here and a word ends behind it. Segment reads that many
  // characters, but none behind the end of a word, and loses them where the filter ends too early.
  bool accept(std::string_view rest) {
    const std::size_t before = at_;
    bool ended = false;
    while (at_ < before + rest.size() && !ended) {
      if (at_ >= text_.size()) {
        if (at_ > before) fail("a word cut short at the end", "put it in quotes", begin_, at_);
        return false;
      }
      ended = ends_word();
      ++at_;
    }
    if (text_.substr(before, at_ - before) == rest && ends_word()) return true;
    at_ = before;
    return false;
  }

  void next() {
    const char c = text_[at_++];
    const char following = peek();
    if (c == '!' && (is_letter(following) || following == '(')) return add(Kind::op, "!");
    if (is_letter(c) || c == '_' || c == '\\') return word(c);
    if (c == '=') return add(Kind::op, "=");
    if (c == '!') {
      if (accept("=")) return add(Kind::op, "!=");
      fail("\"!=\" needs a blank behind it", "write field != \"text\"", begin_, at_);
    }
    if (c == '<' || c == '>') {
      const bool two = accept("=");
      return add(Kind::op, two ? std::string{c, '='} : std::string(1, c));
    }
    if (is_digit(c) || c == '-' || c == '+') return number();
    if (c == '"' || c == '\'') return string(c);
    constexpr std::string_view kMarks = ".[](),";
    if (kMarks.find(c) != std::string_view::npos) return add(Kind::mark, std::string(1, c));
    fail(c == '\r' ? "a carriage return" : "a character that its filters do not have",
         c == '\r' ? "end lines with a newline alone" : "", begin_, at_);
  }

  void word(char first) {
    if (first == 'a' && accept("nd")) return add(Kind::joiner, "and");
    if (first == 'o' && accept("r")) return add(Kind::joiner, "or");
    if (first == 'n' && accept("ull")) return add(Kind::null, "null");
    --at_;
    std::string name;
    std::string how;
    while (is_name(peek())) {
      const bool escaped = peek() == '\\';
      if (escaped && ++at_ >= text_.size()) fail("nothing after \\", "", at_ - 1, at_);
      const std::size_t size = escaped ? character_size() : 1;
      name += text_.substr(at_, size);
      how.append(size, escaped ? 'e' : ' ');
      at_ += size;
    }
    const char c = peek();
    if (!ends_word() && c != '.' && c != '(' && c != '=' && c != '!') {
      const std::string_view hint = c == '\r'              ? "end lines with a newline alone"
                                    : c == '<' || c == '>' ? "write a blank before the operator"
                                    : c == '[' ? "write \\[0\\] for an element of a list"
                                               : "write \\ before it";
      fail("a name followed by this character", std::string(hint), at_, at_ + 1);
    }
    add(Kind::name, std::move(name));
    tokens_.back().how = std::move(how);
  }

  std::size_t character_size() const {
    const auto lead = static_cast<unsigned char>(text_[at_]);
    if (lead >= 0xF0) fail("a character beyond U+FFFF in a name", "", at_, at_ + 4);
    return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : 3;
  }

  void number() {
    bool dotted = false;
    while (is_digit(peek()) || peek() == '.') {
      const bool dot = text_[at_++] == '.';
      if (dot && (dotted || ends_word())) fail("a number with such a dot", "", begin_, at_);
      dotted = dotted || dot;
    }
    add(Kind::number, std::string(text_.substr(begin_, at_ - begin_)));
  }

  std::size_t tokens_end() const { return tokens_.empty() ? 0 : tokens_.back().end; }

  // A closing quote that no word may end behind opens the next string.
  void string(char quote) {
    const std::size_t close = text_.find(quote, at_);
    if (close == std::string_view::npos) {
      const bool reopened = begin_ > 0 && begin_ + 1 == tokens_end();
      fail(reopened ? "a closing quote with something right behind it"
                    : "a text without its closing quote",
           reopened ? "write a blank behind it; texts have no escapes" : "", begin_, text_.size());
    }
    at_ = close + 1;
    add(Kind::string, std::string(text_.substr(begin_, at_ - begin_)));
    if (!ends_word()) at_ = close;
  }

  std::vector<TriggerToken> join_names() {
    std::vector<TriggerToken> joined;
    for (TriggerToken& token : tokens_) {
      const std::size_t count = joined.size();
      const bool joins = token.kind == Kind::name && count > 1 && joined[count - 1].is(".") &&
                         joined[count - 2].kind == Kind::name;
      if (!joins) {
        joined.push_back(std::move(token));
        continue;
      }
      joined.pop_back();
      TriggerToken& name = joined.back();
      name.text += "." + token.text;
      name.how += "." + token.how;
      name.end = token.end;
    }
    return joined;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  std::vector<TriggerToken> tokens_;
};

}  // namespace

std::vector<TriggerToken> lex_trigger(std::string_view text) { return Lexer(text).run(); }

}  // namespace fieldpost
