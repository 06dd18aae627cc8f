// A mapping on its own, for Python.
#include "fieldpost/mapping.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fieldpost/expression.h"
#include "fieldpost/reference.h"
#include "fieldpost/transforms.h"

namespace py = pybind11;
using namespace fieldpost;

namespace {

// Any contiguous bytes of Python, held while the core reads them.
class Bytes {
 public:
  explicit Bytes(const py::handle& object) {
    if (PyObject_GetBuffer(object.ptr(), &buffer_, PyBUF_SIMPLE) != 0)
      throw py::error_already_set();
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { PyBuffer_Release(&buffer_); }

  std::string_view text() const {
    return {static_cast<const char*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
  }

 private:
  Py_buffer buffer_;
};

std::unique_ptr<Expression> make(const std::string& mapping,
                                 const std::optional<std::string>& filter,
                                 const std::optional<std::string>& dialect) {
  std::optional<FilterText> text;
  if (filter) text = FilterText{*filter, dialect.value_or("")};
  return std::make_unique<Expression>(Json::parse(mapping), text);
}

py::bytes apply(const Expression& expression, const py::object& event) {
  const Bytes bytes(event);
  std::string body;
  {
    py::gil_scoped_release unlocked;
    body = expression.apply(bytes.text());
  }
  return {body.data(), body.size()};
}

std::shared_ptr<Lines> apply_lines(const Expression& expression, const py::object& text) {
  const Bytes bytes(text);
  py::gil_scoped_release unlocked;
  return std::make_shared<Lines>(expression.apply_lines(bytes.text()));
}

py::list rows_of(const std::vector<Mistake>& mistakes) {
  py::list rows;
  for (const Mistake& m : mistakes) {
    rows.append(py::make_tuple(m.code, m.message, m.path, m.hint));
  }
  return rows;
}

py::list warnings(const Expression& expression) { return rows_of(expression.warnings()); }

py::tuple check(const std::string& mapping, const std::string& path, bool is_body) {
  const Findings found = check_mapping(Json::parse(mapping), path, is_body ? Use::body : Use::key);
  return py::make_tuple(rows_of(found.mistakes), rows_of(found.warnings));
}

py::tuple check_list(const std::string& transforms, const std::string& path) {
  const Findings found = check_transforms(Json::parse(transforms), path);
  return py::make_tuple(rows_of(found.mistakes), rows_of(found.warnings));
}

py::list help() {
  py::list rows;
  for (const DirectiveHelp& row : directive_help()) {
    rows.append(
        py::make_tuple(row.name, row.is_segments, row.help, row.example, row.event, row.body));
  }
  return rows;
}

py::list invalid(const Lines& lines) {
  py::list rows;
  for (const InvalidLine& one : lines.invalid) {
    rows.append(py::make_tuple(one.position.line, one.position.offset, one.code, one.message));
  }
  return rows;
}

// _core.EventFault(code, message)
void register_event_fault(py::module_& module) {
  static PyObject* type =
      PyErr_NewException("fieldpost._core.EventFault", PyExc_ValueError, nullptr);
  module.add_object("EventFault", type);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const EventFault& fault) {
      const py::tuple arguments = py::make_tuple(fault.code, fault.message);
      PyErr_SetObject(type, arguments.ptr());
    }
  });
}

}  // namespace

void register_mapping(py::module_& module) {
  register_event_fault(module);

  py::class_<Lines, std::shared_ptr<Lines>>(module, "Lines", py::buffer_protocol())
      .def_buffer([](Lines& lines) {
        return py::buffer_info(reinterpret_cast<const std::uint8_t*>(lines.text.data()),
                               static_cast<py::ssize_t>(lines.text.size()));
      })
      .def_property_readonly("text", [](const py::object& self) { return py::memoryview(self); })
      .def("__len__", [](const Lines& lines) { return lines.line_numbers.size(); })
      .def_readonly("received", &Lines::received)
      .def_readonly("line_numbers", &Lines::line_numbers)
      .def("invalid", &invalid);

  py::class_<Expression>(module, "Expression")
      .def(py::init(&make), py::arg("mapping"), py::arg("filter") = py::none(),
           py::arg("dialect") = py::none())
      .def("apply", &apply, py::arg("event"))
      .def("apply_lines", &apply_lines, py::arg("text"))
      .def("paths", &Expression::paths)
      .def("warnings", &warnings);

  module.def("check_mapping", &check, py::arg("mapping"), py::arg("path"),
             py::arg("is_body") = true);
  module.def("check_transforms", &check_list, py::arg("transforms"), py::arg("path"));
  module.def("directive_help", &help);
}
