#include "protocol/webhook/body.h"

#include <simdjson.h>

#include <algorithm>

#include "fieldpost/protocol.h"

namespace fieldpost {

namespace {

using simdjson::ondemand::json_type;
using simdjson::ondemand::value;

[[noreturn]] void refuse(const char* what) {
  throw CallFault{"E640", what, "mapping: make the body as the content type wants it"};
}

// "Text/Plain; charset=utf-8" -> "text/plain"
std::string media_type(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  type.erase(0, type.find_first_not_of(" \t"));
  type.erase(type.find_last_not_of(" \t") + 1);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return type;
}

// A scalar as text: what a string stands for, else its JSON. False for objects and lists.
bool append_scalar(value given, std::string& out) {
  const json_type type = given.type();
  if (type == json_type::object || type == json_type::array) return false;
  if (type == json_type::string) {
    out += std::string_view(given.get_string());
    return true;
  }
  const std::string_view token = given.raw_json_token();
  out += token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  return true;
}

// As browsers encode forms (WHATWG URL, 5.2).
void append_form_text(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '*' || c == '-' || c == '.' || c == '_';
    if (plain) {
      out.push_back(c);
    } else if (c == ' ') {
      out.push_back('+');
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
}

// The scalars of a list with commas between them; null is nothing there.
void append_list_text(simdjson::ondemand::array list, std::string& out) {
  bool first = true;
  for (value item : list) {
    if (!std::exchange(first, false)) out.push_back(',');
    if (item.type() == json_type::null) continue;
    if (!append_scalar(item, out)) refuse("a form holds no lists of lists or objects");
  }
}

std::string form_of(simdjson::ondemand::document& document) {
  if (document.type() != json_type::object) refuse("a form is made of an object");
  std::string form;
  for (simdjson::ondemand::field field : document.get_object()) {
    if (!form.empty()) form.push_back('&');
    append_form_text(std::string_view(field.unescaped_key()), form);
    form.push_back('=');
    std::string text;
    value member = field.value();
    if (member.type() == json_type::array) {
      append_list_text(member.get_array(), text);
    } else if (!append_scalar(member, text)) {
      refuse("a form holds no objects");
    }
    append_form_text(text, form);
  }
  return form;
}

void append_xml_text(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    const bool no_character =
        text.substr(i).starts_with("\xef\xbf\xbe") || text.substr(i).starts_with("\xef\xbf\xbf");
    if ((byte < ' ' && c != '\t' && c != '\n' && c != '\r') || no_character) {
      refuse("XML cannot hold a control character");
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\t':
      case '\n':
      case '\r':
        out.append("&#").append(std::to_string(byte)).append(";");
        break;
      default:
        out.push_back(c);
    }
  }
}

// The names of XML 1.0, with all beyond ASCII taken for letters.
void check_xml_name(std::string_view name) {
  const auto is_start = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ':' || c < 0;
  };
  const auto is_inside = [&](char c) {
    return is_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  if (name.empty() || !is_start(name[0]) || !std::all_of(name.begin(), name.end(), is_inside)) {
    refuse("a key is no name in XML");
  }
}

void append_element(std::string_view name, value given, std::string& out);

// Attributes come before what is inside, in whatever order the members stand.
void append_members(simdjson::ondemand::object members, std::string& attributes,
                    std::string& inside) {
  for (simdjson::ondemand::field field : members) {
    const std::string name(std::string_view(field.unescaped_key()));
    value member = field.value();
    std::string text;
    if (name == "#text" || name.starts_with('@')) {
      if (!append_scalar(member, text)) refuse("a text in XML is made of an object or a list");
      if (name == "#text") {
        append_xml_text(text, inside);
        continue;
      }
      check_xml_name(std::string_view(name).substr(1));
      attributes.append(" ").append(name, 1).append("=\"");
      append_xml_text(text, attributes);
      attributes.push_back('"');
    } else if (member.type() == json_type::array) {
      for (value item : member.get_array()) append_element(name, item, inside);
    } else {
      append_element(name, member, inside);
    }
  }
}

void append_element(std::string_view name, value given, std::string& out) {
  check_xml_name(name);
  std::string attributes;
  std::string inside;
  if (given.type() == json_type::object) {
    append_members(given.get_object(), attributes, inside);
  } else if (given.type() == json_type::array) {
    refuse("XML holds no lists of lists");
  } else if (given.type() != json_type::null) {
    std::string text;
    append_scalar(given, text);
    append_xml_text(text, inside);
  }
  out.append("<").append(name).append(attributes);
  if (inside.empty()) {
    out += "/>";
  } else {
    out.append(">").append(inside).append("</").append(name).append(">");
  }
}

std::string xml_of(simdjson::ondemand::document& document) {
  if (document.type() != json_type::object) refuse("XML is made of a text or an object");
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
  bool rooted = false;
  for (simdjson::ondemand::field field : document.get_object()) {
    if (std::exchange(rooted, true)) refuse("XML has one root, the object several members");
    const std::string name(std::string_view(field.unescaped_key()));
    append_element(name, field.value(), xml);
  }
  if (!rooted) refuse("XML has one root, the object no members");
  return xml;
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  const std::string type = media_type(content_type);
  return type == "application/json" || type.ends_with("+json");
}

std::string body_for(std::string_view content_type, std::string_view json) {
  const std::string type = media_type(content_type);
  if (is_json_type(type)) return std::string(json);
  try {
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(json);
    simdjson::ondemand::document document = parser.iterate(padded);
    if (type == "application/x-www-form-urlencoded") return form_of(document);
    const bool is_text = document.type() == json_type::string;
    if (is_text) return std::string(std::string_view(document.get_string()));
    const bool is_xml = type == "application/xml" || type == "text/xml" || type.ends_with("+xml");
    return is_xml ? xml_of(document) : std::string(json);
  } catch (const simdjson::simdjson_error&) {
    refuse("the body holds what no text can");  // a lone surrogate
  }
}

}  // namespace fieldpost
