// A body as rows: the columns of each, ready to be written, and the rows that hang on it.
//
// Reading a body gives every row of a known table its id, turns binds into annotations and values
// into what their columns take, and leaves out what is null. Everything else is copied as it
// stands.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/dynamics/reference.h"
#include "protocol/dynamics/tables.h"

namespace fieldpost::dynamics {

struct Row;

// The rows behind a navigation property.
struct Branch {
  std::string property;
  const Navigation* navigation = nullptr;
  bool is_list = false;
  std::vector<Row> rows;
};

struct Row {
  const Table* table = nullptr;
  std::string id;          // "" where its table's rows get none
  bool brings_id = false;  // the body said it
  std::string partition;   // of an elastic table, where the body says it
  std::string columns;     // "\"name\":\"A\",\"ownerid@odata.bind\":\"/teams(…)\""; no braces
  bool binds = false;      // to a row that may not be there; its branches' too
  FormerIds former;        // of the rows that it binds to; its branches' too
  std::vector<Branch> branches;

  void bind(const Reference& target);  // notes that it does; the member is the caller's
  void add(std::string_view member);   // "\"name\":\"A\""
  std::size_t nested() const;          // rows below it, on all levels
  std::string path() const { return table->set + "(" + id + ")"; }
  // The row and all that hangs on it, as the body of one create. `more`: members to add.
  std::string deep(std::string_view more = "") const;
};

// "\"property@odata.bind\":\"/set(key)\""
std::string bind_member(const std::string& property, const std::string& path);

struct RowRules {
  bool clears_all = false;       // what is null or "" is sent as null
  std::set<std::string> clears;  // the same for these columns of the outermost row
  std::set<std::string> leaves;  // columns of the outermost row that do not belong into a body
};

class RowReader {
 public:
  // `id_of` gives the id of the row at a path ("$", "$.primarycontactid", "$.tasks[0]").
  using IdOf = std::function<std::string(std::string_view path)>;

  RowReader(const Tables& tables, const References& references, const RowRules& rules, IdOf id_of)
      : tables_(tables), references_(references), rules_(rules), id_of_(std::move(id_of)) {}

  // Throws CallFault where the body is not a JSON object, a key it brings is not a UUID, or a value
  // is none that its column takes.
  Row read(std::string_view body, const Table& table);
  // Members of another object, as further columns of an outermost row. `row` may be one that was
  // read.
  void read_more(std::string_view body, Row& row);

 private:
  Row row(JsonBody& body, JsonPart object, const Table& table);
  void members(JsonBody& body, JsonPart object, Row& row);
  void member(JsonBody& body, const Member& member, Row& row);
  void nothing(const std::string& name, Row& row);
  void column(JsonBody& body, const Member& member, Row& row);
  void bind(const std::string& property, std::string_view value, Row& row);
  bool branch(JsonBody& body, const Member& member, const Navigation& navigation, Row& row);
  bool is_outermost() const { return path_.size() == 1; }

  const Tables& tables_;
  const References& references_;
  const RowRules& rules_;
  IdOf id_of_;
  std::string path_ = "$";
};

}  // namespace fieldpost::dynamics
