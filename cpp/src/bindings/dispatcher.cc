// Doors to the dispatcher and to single exchanges. Text that a service sent may be no UTF-8; it
// reaches Python with the broken bytes replaced.
#include "fieldpost/dispatcher.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "fieldpost/expression.h"
#include "fieldpost/json.h"
#include "fieldpost/policy.h"
#include "fieldpost/transport.h"

namespace py = pybind11;

namespace fieldpost {

namespace {

py::str text(std::string_view value) {
  PyObject* made =
      PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "replace");
  if (!made) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

py::list header_pairs(const std::vector<Header>& headers) {
  py::list pairs;
  for (const Header& header : headers) {
    pairs.append(py::make_tuple(text(header.name), text(header.value)));
  }
  return pairs;
}

using OfferTuple =
    std::tuple<std::uint32_t, std::int64_t, double, std::int32_t, bool, std::int32_t>;

// Short work: letting other threads go on meanwhile would cost more than it.
void offer(Dispatcher& dispatcher, std::shared_ptr<Batch> batch,
           const std::vector<OfferTuple>& tuples) {
  std::vector<Offer> offers;
  offers.reserve(tuples.size());
  for (const auto& [index, claim, elapsed_s, attempts, in_doubt, tries] : tuples) {
    offers.push_back({index, claim, elapsed_s, attempts, in_doubt, tries});
  }
  dispatcher.offer(std::move(batch), offers);
}

// Records one behind the other, never tried, whose claims are one behind the other.
void offer_new(Dispatcher& dispatcher, std::shared_ptr<Batch> batch, std::uint32_t first,
               std::uint32_t count, std::int64_t claim) {
  std::vector<Offer> offers(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    offers[i].index = first + i;
    offers[i].claim = claim + i;
  }
  dispatcher.offer(std::move(batch), offers);
}

void put(PyObject* tuple, Py_ssize_t at, PyObject* value) {
  if (!value) throw py::error_already_set();
  PyTuple_SET_ITEM(tuple, at, value);
}

void put(PyObject* tuple, Py_ssize_t at, const std::string& value) {
  put(tuple, at, text(value).release().ptr());
}

// As a ledger binds it, as a tuple or a subclass of it without fields of its own.
py::object row(const Outcome& one, const py::str& outcome, PyTypeObject* kind) {
  PyObject* made = kind == &PyTuple_Type ? PyTuple_New(12) : kind->tp_alloc(kind, 12);
  if (!made) throw py::error_already_set();
  auto tuple = py::reinterpret_steal<py::object>(made);
  put(made, 0, Py_NewRef(outcome.ptr()));
  put(made, 1, one.effect);
  put(made, 2, PyLong_FromLong(one.attempts));
  put(made, 3, PyLong_FromLong(one.http_status));
  put(made, 4, one.code);
  put(made, 5, one.message);
  put(made, 6, one.action_needed);
  put(made, 7, one.record_id);
  put(made, 8, one.request_id);
  put(made, 9, PyFloat_FromDouble(one.latency_ms));
  put(made, 10, PyLong_FromLong(one.in_doubt ? 1 : 0));
  put(made, 11, PyLong_FromLongLong(one.claim));
  return tuple;
}

// Those that are delivered apart, since that is the end of them.
py::tuple settle(Dispatcher& dispatcher, double timeout_s, const py::type& kind) {
  auto* type = reinterpret_cast<PyTypeObject*>(kind.ptr());
  if (!PyType_IsSubtype(type, &PyTuple_Type)) throw py::type_error("a kind of tuple is wanted");
  std::vector<Outcome> outcomes;
  {
    py::gil_scoped_release unlocked;
    outcomes = dispatcher.settle(timeout_s);
  }
  py::list delivered;
  py::list others;
  // One text for all, which is quick to compare.
  const auto usual = py::reinterpret_steal<py::str>(PyUnicode_InternFromString("delivered"));
  for (const Outcome& one : outcomes) {
    if (one.outcome == "delivered") {
      delivered.append(row(one, usual, type));
    } else {
      others.append(py::make_tuple(row(one, text(one.outcome), type), one.retry_in_s, one.tries));
    }
  }
  return py::make_tuple(std::move(delivered), std::move(others));
}

py::dict shown(const Call& call) {
  const Request& request = call.request;
  using namespace py::literals;
  return py::dict("method"_a = text(request.method), "url"_a = text(request.url),
                  "headers"_a = header_pairs(request.headers),
                  "body"_a = py::bytes(std::string(request.body_text())),
                  "record_id"_a = text(call.record_id), "request_id"_a = text(call.request_id));
}

// `then`: the requests that may follow, each with its `when`.
py::dict preview(const Dispatcher& dispatcher, const Batch& batch, std::uint32_t index) {
  const Call call = dispatcher.preview(batch, index);
  py::dict told = shown(call);
  py::list then;
  for (const Protocol::Successor& one : dispatcher.successors(call)) {
    py::dict next = shown(*one.call);
    next["when"] = text(one.when);
    then.append(std::move(next));
  }
  told["then"] = std::move(then);
  return told;
}

Request read_request(const py::dict& given) {
  Request request;
  request.method = py::cast<std::string>(given["method"]);
  request.url = py::cast<std::string>(given["url"]);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  if (given.contains("headers")) {
    for (auto& [name, value] : py::cast<Pairs>(given["headers"])) {
      request.headers.push_back({std::move(name), std::move(value)});
    }
  }
  request.has_body = given.contains("body") && !given["body"].is_none();
  if (request.has_body) request.body = py::cast<std::string>(given["body"]);
  return request;
}

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::unreachable:
      return "unreachable";
    case Fault::untrusted:
      return "untrusted";
    case Fault::unsent:
      return "unsent";
    case Fault::unprocessed:
      return "unprocessed";
    case Fault::lost:
      return "lost";
  }
  return "";
}

py::dict exchange_once(const py::dict& given, const std::string& transport) {
  const Request request = read_request(given);
  const TransportOptions options = make_transport_options(Json::parse(transport));
  Response response;
  {
    py::gil_scoped_release unlocked;
    response = exchange(request, options);
  }
  using namespace py::literals;
  return py::dict("status"_a = response.status, "headers"_a = header_pairs(response.headers.all()),
                  "body"_a = py::bytes(response.body), "fault"_a = fault_name(response.fault),
                  "fault_text"_a = text(response.fault_text),
                  "fault_advice"_a = text(response.fault_advice),
                  "elapsed_s"_a = response.elapsed_s);
}

// (tries, latency buckets) of each subscription.
py::list traffic(const Dispatcher& dispatcher) {
  py::list rows;
  for (const Traffic& one : dispatcher.traffic()) {
    rows.append(py::make_tuple(one.attempts, one.latencies));
  }
  return rows;
}

// (tries that another one follows, code and message of the last).
py::tuple trouble(const Dispatcher& dispatcher) {
  const Dispatcher::Trouble last = dispatcher.trouble();
  return py::make_tuple(last.tries, text(last.code), text(last.message));
}

// (subscription, code, message, action_needed) of each that is paused.
py::list paused(const Dispatcher& dispatcher) {
  py::list rows;
  for (const Dispatcher::Paused& one : dispatcher.paused()) {
    rows.append(py::make_tuple(one.subscription, text(one.code), text(one.message),
                               text(one.action_needed)));
  }
  return rows;
}

// (target, since_s, next_probe_s, code, message) of each target that is probed.
py::list openings(const Dispatcher& dispatcher) {
  py::list rows;
  for (const Dispatcher::Opening& one : dispatcher.openings()) {
    rows.append(py::make_tuple(text(one.target), one.since_s, one.next_probe_s, text(one.code),
                               text(one.message)));
  }
  return rows;
}

// (table, message) of what the system said that it does not have.
py::list lacks(const Dispatcher& dispatcher) {
  py::list rows;
  for (const Protocol::Lack& one : dispatcher.lacks()) {
    rows.append(py::make_tuple(text(one.table), text(one.message)));
  }
  return rows;
}

// The language of mappings and filters, for what authors write about answers.
Rule compile_rule(const Json& mapping, const Json& filter) {
  std::optional<FilterText> text;
  if (!filter.is_null()) text = {filter.value("text", ""), filter.value("dialect", "")};
  const auto expression = std::make_shared<const Expression>(mapping, text);
  return [expression](std::string_view json) { return expression->apply_if_fit(json); };
}

// _core.CallFault(code, message, action_needed): this record cannot become a request.
void register_call_fault(py::module_& module) {
  static py::handle type =
      py::exception<CallFault>(module, "CallFault", PyExc_ValueError).release();
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const CallFault& fault) {
      const py::tuple arguments = py::make_tuple(fault.code, fault.message, fault.action_needed);
      PyErr_SetObject(type.ptr(), arguments.ptr());
    }
  });
}

}  // namespace

}  // namespace fieldpost

void register_dispatcher(py::module_& module) {
  using namespace fieldpost;
  register_call_fault(module);
  py::class_<Dispatcher>(module, "Dispatcher")
      .def_property_readonly_static("LONGEST_WAIT_S",
                                    [](const py::object&) { return kLongestWait_s; })
      .def_property_readonly_static("PACK_AIM_S", [](const py::object&) { return kPackAim_s; })
      .def(py::init([](const std::string& document) {
             return make_dispatcher(Json::parse(document), &compile_rule);
           }),
           py::arg("document"))
      .def("offer", &offer, py::arg("batch"), py::arg("offers"))
      .def("offer_new", &offer_new, py::arg("batch"), py::arg("first"), py::arg("count"),
           py::arg("claim"))
      .def("settle", &settle, py::arg("timeout_s"), py::arg("kind") = py::type::of(py::tuple()))
      .def("authorize", &Dispatcher::authorize, py::arg("header"),
           py::arg("name") = "Authorization")
      .def(
          "sign_with",
          [](Dispatcher& self, const py::bytes& standard_webhooks, const py::bytes& segment) {
            self.sign_with({standard_webhooks, segment});
          },
          py::arg("standard_webhooks"), py::arg("segment"))
      .def("hide", &Dispatcher::hide, py::arg("text"))
      .def("stop", &Dispatcher::stop)
      .def("hang_up", &Dispatcher::hang_up)
      .def("allow", &Dispatcher::allow, py::arg("max_in_flight"), py::arg("requests_per_window"),
           py::arg("starts") = -1)
      .def("hold", &Dispatcher::hold, py::arg("seconds"))
      .def("count_started", &Dispatcher::count_started, py::arg("requests"))
      .def_property_readonly("started", &Dispatcher::started)
      .def_property_readonly("operations", &Dispatcher::operations)
      .def("allow_operations", &Dispatcher::allow_operations, py::arg("in_all"))
      .def_property_readonly("used_up", &Dispatcher::used_up)
      .def_property_readonly("capacity", &Dispatcher::capacity)
      .def_property_readonly("held_s", &Dispatcher::held_s)
      .def_property_readonly("throttled_s", &Dispatcher::throttled_s)
      .def("traffic", &traffic)
      .def("preview", &preview, py::arg("batch"), py::arg("index"))
      .def("weigh", &Dispatcher::weigh, py::arg("batch"), py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("token_wanted", &Dispatcher::token_wanted)
      .def_property_readonly("outstanding", &Dispatcher::outstanding)
      .def_property_readonly("room", &Dispatcher::room)
      .def_property_readonly("in_flight", &Dispatcher::in_flight)
      .def_property_readonly("paused", &paused)
      .def_property_readonly("trouble", &trouble)
      .def_property_readonly("openings", &openings)
      .def_property_readonly("has_one_target", &Dispatcher::has_one_target)
      .def_property_readonly("well_ago_s", &Dispatcher::well_ago_s)
      .def("follow", &Dispatcher::follow, py::arg("since_s"), py::arg("next_probe_s"))
      .def("release", &Dispatcher::release)
      .def_property_readonly("lacks", &lacks)
      .def_property_readonly("pause_code",
                             [](const Dispatcher& self) { return text(self.pause_code()); })
      .def_property_readonly("pause_message",
                             [](const Dispatcher& self) { return text(self.pause_message()); });
  module.def("exchange", &exchange_once, py::arg("request"), py::arg("transport"));
}
