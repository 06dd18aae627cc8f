// EventFilter for Python.
#include "fieldpost/filter.h"

#include <pybind11/pybind11.h>

#include <string>

#include "fieldpost/reference.h"

namespace py = pybind11;
using namespace fieldpost;

namespace {

// The bytes of anything that has one block of them, without a copy. It cannot change its size while
// this lives.
class Bytes {
 public:
  explicit Bytes(py::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_SIMPLE) != 0) throw py::error_already_set();
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { PyBuffer_Release(&view_); }
  std::string_view text() const {
    return {static_cast<const char*>(view_.buf), static_cast<std::size_t>(view_.len)};
  }

 private:
  Py_buffer view_ = {};
};

// (verdict, code, message, offset, explanation)
py::tuple row(const Answer& answer) {
  return py::make_tuple(static_cast<int>(answer.verdict), answer.code, answer.message,
                        answer.offset, py::bytes(answer.explanation));
}

py::tuple matches(const EventFilter& filter, const py::object& event) {
  const Bytes bytes(event);
  Answer answer;
  {
    py::gil_scoped_release unlocked;
    answer = filter.matches(bytes.text());
  }
  return row(answer);
}

py::tuple explain(const EventFilter& filter, const py::object& event) {
  const Bytes bytes(event);
  Answer answer;
  {
    py::gil_scoped_release unlocked;
    answer = filter.explain(bytes.text());
  }
  return row(answer);
}

py::bytes matches_lines(const EventFilter& filter, const py::object& ndjson) {
  const Bytes bytes(ndjson);
  std::string verdicts;
  {
    py::gil_scoped_release unlocked;
    verdicts = filter.matches_lines(bytes.text());
  }
  return verdicts;
}

py::list help() {
  py::list rows;
  for (const FilterHelp& row : filter_help()) {
    rows.append(py::make_tuple(row.kind, row.name, row.help, row.example, row.yes, row.no));
  }
  return rows;
}

}  // namespace

void register_filter(py::module_& module) {
  py::class_<EventFilter>(module, "Filter")
      .def(py::init([](const std::string& text, const std::string& dialect) {
             return std::make_unique<EventFilter>(text, dialect_named(dialect));
           }),
           py::arg("text"), py::arg("dialect") = "fieldpost")
      .def("matches", &matches, py::arg("event"))
      .def("explain", &explain, py::arg("event"))
      .def("matches_lines", &matches_lines, py::arg("ndjson"));

  module.def("filter_help", &help);
}
