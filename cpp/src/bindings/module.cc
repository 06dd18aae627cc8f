// The table of contents of fieldpost._core.
#include <pybind11/pybind11.h>

#include "fieldpost/error.h"

namespace py = pybind11;

void register_filter(py::module_& module);
void register_plan(py::module_& module);
void register_mapping(py::module_& module);
void register_dispatcher(py::module_& module);
void register_ledger_rows(py::module_& module);

namespace {

// _core.DocumentError(text, [(code, message, path, hint, begin, end), …])
void register_document_error(py::module_& module) {
  static py::handle type =
      py::exception<fieldpost::DocumentError>(module, "DocumentError", PyExc_ValueError).release();
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const fieldpost::DocumentError& error) {
      py::list mistakes;
      for (const auto& m : error.mistakes()) {
        mistakes.append(py::make_tuple(m.code, m.message, m.path, m.hint, m.begin, m.end));
      }
      const py::tuple arguments = py::make_tuple(error.what(), mistakes);
      PyErr_SetObject(type.ptr(), arguments.ptr());
    }
  });
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of fieldpost: private, reached through the fieldpost package.";
  register_document_error(module);
  register_filter(module);
  register_plan(module);
  register_mapping(module);
  register_dispatcher(module);
  register_ledger_rows(module);
}
