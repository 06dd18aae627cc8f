#include "mapping/directives.h"

#include "fieldpost/reference.h"

namespace fieldpost {
namespace {

constexpr bool kSegments = true;
constexpr bool kOurs = false;

constexpr DirectiveRow kDirectives[] = {
    // Segment's
    {"@path", compile_path, kSegments,
     R"(the value at a path of the event, its digits and all; nothing where there is none)",
     R"({"name":{"@path":"$.properties.company"}})", R"({"properties":{"company":"Acme"}})",
     R"({"name":"Acme"})"},
    {"@template", compile_template, kSegments,
     R"(a text with the values of paths put in; a missing one is "")",
     R"({"subject":{"@template":"Call {{properties.name}}"}})", R"({"properties":{"name":"Ada"}})",
     R"({"subject":"Call Ada"})"},
    {"@literal", compile_literal, kSegments,
     R"(the value as written, also where 0, "" or null would count as absent)",
     R"({"@if":{"exists":{"@path":"$.a"},"then":1,"else":{"@literal":0}}})", R"({})", R"(0)"},
    {"@if", compile_if, kSegments,
     R"(`then` where the value is there and not null, else `else`; with `blank` instead of `exists` also not "", 0, false or an empty list)",
     R"({"@if":{"exists":{"@path":"$.userId"},"then":"known","else":"anonymous"}})",
     R"({"userId":""})", R"("known")"},
    {"@case", compile_case, kSegments,
     R"(a text in `lower` or `upper` case (full Unicode); what is no text stays as it is)",
     R"({"@case":{"operator":"lower","value":{"@path":"$.email"}}})",
     R"({"email":"Ada@Example.COM"})", R"("ada@example.com")"},
    {"@replace", compile_replace, kSegments,
     R"(`pattern` replaced by `replacement` (plain text, up to 10 characters each), everywhere unless `global` is false; `ignorecase`; `pattern2` and `replacement2` for a second round; "" for what is no text)",
     R"({"@replace":{"pattern":"-","replacement":"","value":{"@path":"$.phone"}}})",
     R"({"phone":"555-01-23"})", R"("5550123")"},
    {"@arrayPath", compile_array_path, kSegments,
     R"(a list, each item mapped by the shape that follows; inside, `$.` is the item)",
     R"({"lines":{"@arrayPath":["$.products",{"sku":{"@path":"$.id"}}]}})",
     R"({"products":[{"id":7},{"id":8}]})", R"({"lines":[{"sku":7},{"sku":8}]})"},
    {"@flatten", compile_flatten, kSegments,
     R"(nested objects and lists as one object with joined keys; with `omitArrays` lists stay)",
     R"({"@flatten":{"value":{"@path":"$.traits"},"separator":"_"}})",
     R"({"traits":{"a":{"b":1},"c":[2]}})", R"({"a_b":1,"c_0":2})"},
    {"@json", compile_json, kSegments,
     R"(`encode`: the value as JSON text; `decode`: what such a text holds)",
     R"({"@json":{"mode":"encode","value":{"@path":"$.tags"}}})", R"({"tags":["a",1]})",
     R"("[\"a\",1]")"},
    {"@merge", compile_merge, kSegments,
     R"(the members of several objects in one; the last wins with `right`, the first with `left`)",
     R"({"@merge":{"direction":"right","objects":[{"plan":"free"},{"@path":"$.traits"}]}})",
     R"({"traits":{"plan":"pro"}})", R"({"plan":"pro"})"},
    {"@transform", compile_transform, kSegments,
     R"(`apply` first; `mapping` then maps what came out of it)",
     R"({"@transform":{"apply":{"n":{"@path":"$.a.b"}},"mapping":{"m":{"@path":"$.n"}}}})",
     R"({"a":{"b":5}})", R"({"m":5})"},
    {"@excludeWhenNull", compile_exclude_when_null, kSegments,
     R"(the value, or nothing where it is null; members of objects that are null go too)",
     R"({"@excludeWhenNull":{"@path":"$.traits"}})", R"({"traits":{"a":null,"b":1}})",
     R"({"b":1})"},
    {"@liquid", compile_liquid, kSegments, R"(not in this version: `check` says so (E207))", "", "",
     ""},
    // fieldpost's
    {"@root", compile_root, kOurs,
     R"(a path from the whole event, also inside the items of an `@arrayPath`)",
     R"({"@arrayPath":["$.items",{"id":{"@path":"$.id"},"user":{"@root":"$.userId"}}]})",
     R"({"userId":"u1","items":[{"id":1}]})", R"([{"id":1,"user":"u1"}])"},
    {"@default", compile_default, kOurs, R"(the first of a list that is there and not null)",
     R"({"@default":[{"@path":"$.traits.name"},{"@path":"$.userId"},"unknown"]})",
     R"({"userId":"u1"})", R"("u1")"},
    {"@number", compile_number, kOurs,
     R"(a number from a text that holds one, digits kept; true is 1, false 0; `on_failure`: `error` (the event is invalid), `null`, `omit`)",
     R"({"@number":{"@path":"$.total"}})", R"({"total":" 12.50 "})", R"(12.50)"},
    {"@string", compile_string, kOurs,
     R"(a text from a number (its own digits; a whole number has one text however it is written: 1001 and 1001.0 are "1001") or from true and false; `on_failure` as above)",
     R"({"@string":{"@path":"$.id"}})", R"({"id":12345678901234567890})",
     R"("12345678901234567890")"},
    {"@boolean", compile_boolean, kOurs,
     R"(true from true, 1, "true", "yes", "1"; false from their opposites; `on_failure` as above)",
     R"({"@boolean":{"@path":"$.optIn"}})", R"({"optIn":"Yes"})", R"(true)"},
    {"@date", compile_date, kOurs,
     R"(an ISO date-time (or `to: date`) from ISO texts (also `20260301` and `20260301T120000Z`) and epochs (`unit`: `seconds` or `milliseconds`), in `zone`, UTC unless given; digits of a fraction are kept; `on_failure` as above)",
     R"({"@date":{"value":{"@path":"$.at"},"to":"date","zone":"Europe/Berlin"}})",
     R"({"at":"2026-03-01T23:30:00Z"})", R"("2026-03-02")"},
    {"@lookup", compile_lookup, kOurs,
     R"(what a table says: `table` here, or `file` (`.json`, `.csv`) beside the document; a number finds its row however it is written; a miss is `on_miss` (`error`, `null`, `omit`) or `default`)",
     R"({"@lookup":{"value":{"@path":"$.country"},"table":{"DE":"Germany","FR":"France"},"default":"elsewhere"}})",
     R"({"country":"DE"})", R"("Germany")"},
    {"@uuid", compile_uuid, kOurs,
     R"(a UUID (version 5) of the parts: the same parts, the same id, a number being the same however it is written; nothing where a part is missing)",
     R"({"@uuid":["order",{"@path":"$.orderId"}]})", R"({"orderId":17})",
     R"("149f5ec2-cf68-5e25-aa7e-8b68b97cf28e")"},
    {"@bind", compile_bind, kOurs,
     R"(for a lookup of Dynamics 365: the row of `table` that `key` means; a `key` that gives nothing means no row)",
     R"j({"primarycontactid":{"@bind":{"table":"contact","key":{"@path":"$.email"}}}})j",
     R"({"email":"ada@example.com"})",
     R"({"primarycontactid":{"@bind":{"table":"contact","key":"ada@example.com"}}})"},
};

}  // namespace

const DirectiveRow* find_directive(std::string_view name) {
  for (const DirectiveRow& row : kDirectives) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::vector<DirectiveHelp> directive_help() {
  std::vector<DirectiveHelp> rows;
  for (const DirectiveRow& row : kDirectives) {
    rows.push_back({row.name, row.is_segments, row.help, row.example, row.event, row.body});
  }
  return rows;
}

std::vector<std::string> directive_names() {
  std::vector<std::string> names;
  for (const DirectiveRow& row : kDirectives) names.emplace_back(row.name);
  return names;
}

}  // namespace fieldpost
