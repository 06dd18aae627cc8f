// What a ledger writes of keys and of settled rows, made in one pass.
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace {

// Places in a settled row, in a key and in a pack, as ledger/rows.py and ledger/sqlite_claims.py
// name them.
constexpr Py_ssize_t kSettledSize = 12, kClaim = 11, kKeySize = 7, kPackSize = 4;
constexpr std::array<Py_ssize_t, 8> kAlikeOfSettled = {0, 1, 2, 3, 4, 5, 6, 10};
constexpr std::array<Py_ssize_t, 3> kAlikeOfKey = {0, 3, 6};
constexpr Py_ssize_t kEventId = 1, kHash = 2, kLine = 4, kOffset = 5;
constexpr Py_ssize_t kRecordId = 7, kRequestId = 8, kLatency = 9;

PyObject* item(PyObject* tuple, Py_ssize_t at) { return PyTuple_GET_ITEM(tuple, at); }

void check_tuple(PyObject* object, Py_ssize_t size) {
  if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) < size) {
    throw py::type_error("a tuple of " + std::to_string(size) + " is wanted");
  }
}

bool equal(PyObject* a, PyObject* b) {
  const int told = PyObject_RichCompareBool(a, b, Py_EQ);
  if (told < 0) throw py::error_already_set();
  return told == 1;
}

// Claims numbered one behind the other; `open`: a byte for each, 0 where it is decided.
struct Pack {
  long long first;
  PyObject* keys;
  PyObject* moment;
  std::string open;
};

struct Row {
  PyObject* settled;
  PyObject* key;
  PyObject* moment;
};

// Rows that have most in common; `same_ids`: also the record's and the request's.
struct Group {
  std::vector<Row> rows;
  bool same_ids = true;

  bool takes(const Row& row) const {
    const Row& own = rows.front();
    return std::all_of(kAlikeOfSettled.begin(), kAlikeOfSettled.end(),
                       [&](Py_ssize_t at) {
                         return equal(item(own.settled, at), item(row.settled, at));
                       }) &&
           std::all_of(kAlikeOfKey.begin(), kAlikeOfKey.end(),
                       [&](Py_ssize_t at) { return equal(item(own.key, at), item(row.key, at)); });
  }

  void add(const Row& row) {
    const Row& own = rows.empty() ? row : rows.front();
    same_ids = same_ids && equal(item(own.settled, kRecordId), item(row.settled, kRecordId)) &&
               equal(item(own.settled, kRequestId), item(row.settled, kRequestId));
    rows.push_back(row);
  }
};

std::vector<Pack> packs_of(const py::list& list) {
  std::vector<Pack> packs;
  for (const py::handle one : list) {
    check_tuple(one.ptr(), kPackSize);
    PyObject* keys = item(one.ptr(), 1);
    packs.push_back({py::handle(item(one.ptr(), 0)).cast<long long>(), keys, item(one.ptr(), 2),
                     py::handle(item(one.ptr(), 3)).cast<std::string>()});
    if (!PyList_Check(keys) ||
        packs.back().open.size() != static_cast<std::size_t>(PyList_GET_SIZE(keys))) {
      throw py::type_error("a pack has a list of keys, and a byte for each");
    }
  }
  return packs;
}

// The pack in which a claim is open, and its place; nullptr where it is in none.
std::pair<Pack*, std::size_t> open_in(std::vector<Pack>& packs, const std::string* opens,
                                      long long claim) {
  auto behind = std::upper_bound(packs.begin(), packs.end(), claim,
                                 [](long long one, const Pack& pack) { return one < pack.first; });
  if (behind == packs.begin()) return {nullptr, 0};
  const auto at = static_cast<std::size_t>(behind - packs.begin()) - 1;
  const auto place = static_cast<std::size_t>(claim - packs[at].first);
  if (place >= opens[at].size() || opens[at][place] == 0) return {nullptr, 0};
  return {&packs[at], place};
}

void put(std::vector<Group>& groups, const Row& row) {
  const auto found = std::find_if(groups.rbegin(), groups.rend(),
                                  [&](const Group& group) { return group.takes(row); });
  if (found != groups.rend()) return found->add(row);
  groups.emplace_back().add(row);
}

void append(py::list& list, PyObject* value) {
  if (PyList_Append(list.ptr(), value) != 0) throw py::error_already_set();
}

py::list shared_values(const Group& group) {
  py::list values;
  const Row& row = group.rows.front();
  for (const Py_ssize_t at : kAlikeOfSettled) append(values, item(row.settled, at));
  for (const Py_ssize_t at : kAlikeOfKey) append(values, item(row.key, at));
  if (group.same_ids) {
    append(values, item(row.settled, kRecordId));
    append(values, item(row.settled, kRequestId));
  }
  return values;
}

py::list own_values(const Group& group) {
  const std::size_t width = group.same_ids ? 7 : 9;
  py::list values(group.rows.size() * width);
  Py_ssize_t at = 0;
  const auto add = [&](PyObject* value) { PyList_SET_ITEM(values.ptr(), at++, Py_NewRef(value)); };
  for (const Row& row : group.rows) {
    for (const Py_ssize_t of : {kEventId, kHash, kLine, kOffset}) add(item(row.key, of));
    add(row.moment);
    add(item(row.settled, kLatency));
    add(item(row.settled, kClaim));
    if (group.same_ids) continue;
    add(item(row.settled, kRecordId));
    add(item(row.settled, kRequestId));
  }
  return values;
}

// packs: (first claim, keys, moment, open), by their first claims.
// Returns (groups of what is open in them, the other rows, what is open in each pack then).
py::tuple settled_values(const py::list& settled, const py::list& list) {
  std::vector<Pack> packs = packs_of(list);
  std::vector<std::string> before;
  for (const Pack& pack : packs) before.push_back(pack.open);
  std::vector<Group> groups;
  py::list others;
  for (const py::handle one : settled) {
    check_tuple(one.ptr(), kSettledSize);
    const long long claim = PyLong_AsLongLong(item(one.ptr(), kClaim));
    if (claim == -1 && PyErr_Occurred()) throw py::error_already_set();
    const auto [pack, place] = open_in(packs, before.data(), claim);
    if (pack == nullptr) {
      others.append(one);
      continue;
    }
    PyObject* key = PyList_GET_ITEM(pack->keys, static_cast<Py_ssize_t>(place));
    check_tuple(key, kKeySize);
    put(groups, {one.ptr(), key, pack->moment});
    pack->open[place] = 0;
  }
  py::list made, opens;
  for (const Group& group : groups) {
    made.append(py::make_tuple(group.same_ids, shared_values(group), own_values(group)));
  }
  for (const Pack& pack : packs) opens.append(py::bytes(pack.open));
  return py::make_tuple(std::move(made), std::move(others), std::move(opens));
}

// Whether every event id is so short, and has no NUL.
bool are_plain(const py::list& keys, Py_ssize_t longest) {
  for (const py::handle key : keys) {
    check_tuple(key.ptr(), kKeySize);
    PyObject* id = item(key.ptr(), kEventId);
    if (!PyUnicode_Check(id)) throw py::type_error("an event id is a text");
    const Py_ssize_t size = PyUnicode_GET_LENGTH(id);
    if (size > longest || PyUnicode_FindChar(id, 0, 0, size, 1) != -1) return false;
  }
  return true;
}

void append_number(std::string& out, PyObject* number) {
  const long long value = PyLong_AsLongLong(number);
  if (value == -1 && PyErr_Occurred()) throw py::error_already_set();
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// As JSON.
void append_text(std::string& out, PyObject* text) {
  static constexpr char kHex[] = "0123456789abcdef";
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(text, &size);
  if (bytes == nullptr) throw py::error_already_set();
  out += '"';
  for (const char c : std::string_view(bytes, static_cast<std::size_t>(size))) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20) {
      out.append("\\u00").append({kHex[code >> 4], kHex[code & 15]});
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

// A JSON array of [target, event id, hash, source, line, offset, mapping, moment].
py::str claims_text(const py::list& keys, const std::string& moment) {
  std::string out;
  out.reserve(keys.size() * 128 + 2);
  for (const py::handle key : keys) {
    check_tuple(key.ptr(), kKeySize);
    out += out.empty() ? "[[" : ",[";
    for (Py_ssize_t at = 0; at < kKeySize; ++at) {
      PyObject* part = item(key.ptr(), at);
      PyUnicode_Check(part) ? append_text(out, part) : append_number(out, part);
      out += ',';
    }
    out.append(moment) += ']';
  }
  out += out.empty() ? "[]" : "]";
  return {out.data(), out.size()};
}

}  // namespace

void register_ledger_rows(py::module_& module) {
  module.def("settled_values", &settled_values, py::arg("settled"), py::arg("packs"));
  module.def("claims_text", &claims_text, py::arg("keys"), py::arg("moment"));
  module.def("are_plain", &are_plain, py::arg("keys"), py::arg("longest"));
}
