// {"@template": "https://host/users/{{userId}}"} where it makes a url: what an event puts in is
// percent-encoded (RFC 3986, all but the unreserved), so that it stays one segment of the path or
// one value of the query. A placeholder at the very beginning stands for an address of its own and
// is put in as it is. {{{ }}} means {{ }}.
#include <optional>

#include "base/text.h"
#include "event/path.h"
#include "mapping/directives.h"
#include "mapping/path_quirks.h"
#include "mapping/text_quirks.h"

namespace fieldpost {
namespace {

void append_encoded(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

class UrlTemplateNode final : public Node {
 public:
  UrlTemplateNode(std::string_view text, Compiler& compiler, const std::string& place) {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t open = text.find("{{", at);
      const std::size_t inside =
          open == std::string_view::npos ? open : text.find_first_not_of('{', open);
      const std::size_t close = inside == std::string_view::npos ? inside : text.find("}}", inside);
      if (close == std::string_view::npos || close == inside) break;
      const std::string_view path = trim(text.substr(inside, close - inside));
      warn_of_placeholder(compiler, path, place);
      pieces_.push_back({std::string(text.substr(at, open - at)),
                         compiler.reach(parse_path(path), Taken::as_text), open > 0});
      at = text.find_first_not_of('}', close);
      if (at == std::string_view::npos) at = text.size();
    }
    tail_ = text.substr(at);
  }

  bool write(const Scope& scope, std::string& out) const override {
    std::string url;
    std::string value;
    std::string scratch;
    for (const Piece& piece : pieces_) {
      url += piece.before;
      value.clear();
      scope.find(piece.reach, scratch).append_text(value, Digits::own);
      if (piece.encoded) {
        append_encoded(value, url);
      } else {
        url += value;
      }
    }
    url += tail_;
    append_json_string(url, out);
    return true;
  }

 private:
  struct Piece {
    std::string before;
    Reach reach;
    bool encoded;
  };
  std::vector<Piece> pieces_;
  std::string tail_;
};

}  // namespace

NodePtr compile_url_template(Compiler& compiler, const Json& argument, const std::string& path) {
  if (argument.is_string()) {
    const auto& text = argument.get_ref<const std::string&>();
    warn_of_template_text(compiler, text, path);
    return std::make_unique<UrlTemplateNode>(text, compiler, path);
  }
  compiler.mistake("E203", "expected a text for a url, got " + type_name(argument), path,
                   "for example \"https://host/users/{{userId}}\"");
  return nullptr;
}

}  // namespace fieldpost
