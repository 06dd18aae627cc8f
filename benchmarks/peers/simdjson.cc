// What one would write on simdjson for this one workload, and what the bare parser costs.
//
//   simdjson parse|field|map events.ndjson [out]     prints the seconds the
//   processor worked for it
//
// parse: every line into simdjson's tree. field: $.type of every line by On-Demand. map: the filter
// and the mapping of workload.json by hand over On-Demand, which does not look at what it skips.
#include <simdjson.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

using namespace simdjson;
using Text = std::string_view;

namespace {

constexpr std::size_t kBatch = std::size_t{1} << 20;

void put_string(std::string& out, Text text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.data() + plain, at - plain);
    plain = at + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[at];
    } else {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      out += escape;
    }
  }
  out.append(text.data() + plain, text.size() - plain);
  out += '"';
}

void put_member(std::string& out, Text head, Text text) {
  out += head;
  put_string(out, text);
}

Text token(ondemand::value value) {
  Text text = value.raw_json_token();
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

struct Event {
  Text type, event, message_id, timestamp, user_id;
  Text ip, library, version, locale, title, url, zone, agent;
  Text email, given, family, phone, street, city, postal, country;
  Text booking, currency, total_token;
  double total = 0;
  std::string stays;

  void read(ondemand::object root) {
    for (auto field : root) {
      const Text key = field.unescaped_key();
      if (key == "context")
        context(field.value());
      else if (key == "event")
        event = field.value().get_string();
      else if (key == "messageId")
        message_id = field.value().get_string();
      else if (key == "properties")
        properties(field.value());
      else if (key == "timestamp")
        timestamp = field.value().get_string();
      else if (key == "type")
        type = field.value().get_string();
      else if (key == "userId")
        user_id = field.value().get_string();
    }
  }

  void context(ondemand::value value) {
    for (auto field : value.get_object()) {
      const Text key = field.unescaped_key();
      if (key == "ip")
        ip = field.value().get_string();
      else if (key == "library") {
        for (auto part : field.value().get_object()) {
          const Text name = part.unescaped_key();
          if (name == "name")
            library = part.value().get_string();
          else if (name == "version")
            version = part.value().get_string();
        }
      } else if (key == "locale")
        locale = field.value().get_string();
      else if (key == "page") {
        for (auto part : field.value().get_object()) {
          const Text name = part.unescaped_key();
          if (name == "title")
            title = part.value().get_string();
          else if (name == "url")
            url = part.value().get_string();
        }
      } else if (key == "traits")
        traits(field.value());
      else if (key == "timezone")
        zone = field.value().get_string();
      else if (key == "userAgent")
        agent = field.value().get_string();
    }
  }

  void traits(ondemand::value value) {
    for (auto field : value.get_object()) {
      const Text key = field.unescaped_key();
      if (key == "email")
        email = field.value().get_string();
      else if (key == "given_name")
        given = field.value().get_string();
      else if (key == "family_name")
        family = field.value().get_string();
      else if (key == "phone")
        phone = field.value().get_string();
      else if (key == "address") {
        for (auto part : field.value().get_object()) {
          const Text name = part.unescaped_key();
          if (name == "street")
            street = part.value().get_string();
          else if (name == "city")
            city = part.value().get_string();
          else if (name == "postal_code")
            postal = part.value().get_string();
          else if (name == "country")
            country = part.value().get_string();
        }
      }
    }
  }

  void properties(ondemand::value value) {
    for (auto field : value.get_object()) {
      const Text key = field.unescaped_key();
      if (key == "booking_id")
        booking = field.value().get_string();
      else if (key == "currency")
        currency = field.value().get_string();
      else if (key == "total") {
        ondemand::value number = field.value();
        total_token = token(number);
        total = number.get_double();
      } else if (key == "stays")
        read_stays(field.value());
    }
  }

  void read_stays(ondemand::value value) {
    stays = '[';
    for (auto item : value.get_array()) {
      if (stays.size() > 1) stays += ',';
      Text room, kind, rate, nights;
      for (auto part : item.get_object()) {
        const Text name = part.unescaped_key();
        if (name == "room")
          room = part.value().get_string();
        else if (name == "kind")
          kind = part.value().get_string();
        else if (name == "rate")
          rate = token(part.value());
        else if (name == "nights")
          nights = token(part.value());
      }
      put_member(stays, "{\"room\":", room);
      put_member(stays, ",\"description\":", kind);
      stays += ",\"rate\":";
      stays += rate;
      stays += ",\"nights\":";
      stays += nights;
      stays += '}';
    }
    stays += ']';
  }

  bool wanted() const {
    return type == "track" && (event == "Booking Confirmed" || event == "Guest Registered") &&
           total >= 40;
  }

  void write(std::string& out, std::string& lower) const {
    lower.assign(email);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
    }
    put_member(out, "{\"firstname\":", given);
    put_member(out, ",\"lastname\":", family);
    put_member(out, ",\"emailaddress1\":", lower);
    put_member(out, ",\"telephone1\":", phone);
    put_member(out, ",\"address1_line1\":", street);
    put_member(out, ",\"address1_city\":", city);
    put_member(out, ",\"address1_postalcode\":", postal);
    put_member(out, ",\"address1_country\":", country);
    out += ",\"subject\":\"";
    out += event;
    out += ", ";
    out += booking;
    out += "\",\"estimatedvalue\":";
    out += total_token;
    out += ",\"transactioncurrencyid@odata.bind\":\"/transactioncurrencies(isocurrencycode='";
    out += currency;
    out += "')\",\"parentcontactid@odata.bind\":\"/contacts(externalid='";
    out += user_id;
    put_member(out, "')\",\"hotel_origin\":{\"network\":{\"ip\":", ip);
    put_member(out, ",\"url\":", url);
    put_member(out, ",\"title\":", title);
    put_member(out, "},\"device\":{\"agent\":", agent);
    put_member(out, ",\"locale\":", locale);
    put_member(out, ",\"zone\":", zone);
    out += "},\"library\":\"";
    out += library;
    out += ' ';
    out += version;
    out += "\"},\"hotel_stays\":";
    out += stays;
    put_member(out, ",\"hotel_messageid\":", message_id);
    put_member(out, ",\"hotel_occurredat\":", timestamp);
    out += "}\n";
  }
};

// How many lines the tree parser took.
std::size_t parse(const padded_string& events) {
  dom::parser parser;
  dom::document_stream stream;
  if (parser.parse_many(events.data(), events.size(), kBatch).get(stream)) return 0;
  std::size_t lines = 0;
  for (auto document : stream) lines += document.error() == SUCCESS;
  return lines;
}

template <typename Visit>
void each(const padded_string& events, Visit visit) {
  ondemand::parser parser;
  ondemand::document_stream stream;
  if (parser.iterate_many(events.data(), events.size(), kBatch).get(stream)) return;
  for (auto document : stream) visit(document);
}

std::size_t field(const padded_string& events) {
  std::size_t matches = 0;
  each(events, [&](auto&& document) {
    Text type;
    if (document["type"].get_string().get(type) == SUCCESS) matches += type == "identify";
  });
  return matches;
}

std::size_t map(const padded_string& events, std::FILE* file) {
  std::string out;
  std::string lower;
  std::size_t written = 0;
  const auto flush = [&] {
    written += std::fwrite(out.data(), 1, out.size(), file);
    out.clear();
  };
  out.reserve(2 * kBatch);
  each(events, [&](auto&& document) {
    Event event;
    event.read(document.get_object());
    if (!event.wanted()) return;
    event.write(out, lower);
    if (out.size() > kBatch) flush();
  });
  flush();
  return written;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  const Text what = arguments[1];
  const padded_string events = padded_string::load(arguments[2]).value();
  std::FILE* file = std::fopen(count > 3 ? arguments[3] : "/dev/null", "wb");
  if (file == nullptr) return 2;
  const std::clock_t began = std::clock();
  volatile std::size_t seen = 0;
  if (what == "parse") seen = parse(events);
  if (what == "field") seen = field(events);
  if (what == "map") seen = map(events, file);
  const double took = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC;
  std::fclose(file);
  std::printf("%.6f\n", took);
  return seen > 0 || what == "field" ? 0 : 1;
}
