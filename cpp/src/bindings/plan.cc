// Chunk, ArrayLines, EventLines, Batch, Chosen and Plan for Python.
#include "fieldpost/plan.h"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "fieldpost/array_lines.h"
#include "fieldpost/event_lines.h"
#include "fieldpost/transforms.h"

namespace py = pybind11;
using namespace fieldpost;

namespace {

// An event id may hold what UTF-8 cannot (a lone surrogate): it is then written as an escape.
py::str id_text(std::string_view text) {
  return py::reinterpret_steal<py::str>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "backslashreplace"));
}

py::bytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

// The view must not outlive the next call on the chunk: read into it and drop it.
py::memoryview spare(Chunk& chunk) {
  const std::span<char> room = chunk.spare();
  return py::memoryview::from_memory(static_cast<void*>(room.data()),
                                     static_cast<py::ssize_t>(room.size()));
}

// The whole lines; must not outlive the next change of the chunk, either.
py::memoryview lines(const Chunk& chunk) {
  const std::string_view text = chunk.lines();
  static const char nothing = 0;
  return py::memoryview::from_memory(text.empty() ? &nothing : text.data(),
                                     static_cast<py::ssize_t>(text.size()));
}

py::bytes bodies(const Batch& batch, std::optional<std::uint32_t> subscription) {
  std::string lines;
  {
    py::gil_scoped_release unlocked;
    lines = batch.bodies(subscription);
  }
  return bytes_of(lines);
}

py::list tallies(const Batch& batch) {
  py::list rows;
  for (const Tally& one : batch.tallies()) {
    rows.append(py::make_tuple(one.records, one.filtered, one.dropped, one.invalid));
  }
  return rows;
}

// Calls lines.turn with the first so many bytes.
template <typename Lines>
auto turn(Lines& lines, const py::buffer& bytes, std::size_t count) {
  const py::buffer_info room = bytes.request(true);
  if (room.itemsize != 1 || count > static_cast<std::size_t>(room.size)) {
    throw std::out_of_range("more bytes than there are");
  }
  py::gil_scoped_release unlocked;
  return lines.turn({static_cast<char*>(room.ptr), count});
}

// The offset where a value began that is still open, or None.
py::object open_since(const EventLines& lines) {
  return lines.is_open() ? py::object(py::int_(lines.began())) : py::none();
}

// ("early_end" | "missing_item" | "after_end", byte offset), or None.
py::object array_fault(const ArrayLines& array) {
  static constexpr const char* kNames[] = {"", "early_end", "missing_item", "after_end"};
  if (array.fault() == ArrayLines::Fault::none) return py::none();
  return py::make_tuple(kNames[static_cast<std::size_t>(array.fault())], array.fault_offset());
}

py::list notes(const Chunk& chunk) {
  py::list rows;
  for (const Note& note : chunk.notes()) rows.append(py::make_tuple(note.line, note.why));
  return rows;
}

py::list keys(const Batch& batch) {
  py::list keys;
  for (const Record& r : batch.records) {
    keys.append(py::make_tuple(r.subscription, id_text(batch.text(r.event_id)),
                               static_cast<std::int64_t>(r.hash), r.position.line,
                               r.position.offset));
  }
  return keys;
}

// Rows of a tuple's subclass without fields of its own (a named tuple), made without a call each:
// (target, event id, hash, source, line, offset, mapping), by the (target, mapping) of each
// subscription.
py::list rows(const Batch& batch, const py::type& kind, const py::sequence& targets) {
  auto* type = reinterpret_cast<PyTypeObject*>(kind.ptr());
  if (!PyType_IsSubtype(type, &PyTuple_Type)) throw py::type_error("a kind of tuple is wanted");
  const py::str source(batch.source);
  std::vector<std::pair<py::object, py::object>> of;
  for (const py::handle one : targets) of.emplace_back(one[py::int_(0)], one[py::int_(1)]);
  py::list made(batch.records.size());
  for (std::size_t i = 0; i < batch.records.size(); ++i) {
    const Record& r = batch.records[i];
    const auto& [target, mapping] = of.at(r.subscription);
    py::object row = py::reinterpret_steal<py::object>(type->tp_alloc(type, 7));
    if (!row) throw py::error_already_set();
    py::object parts[] = {
        target, id_text(batch.text(r.event_id)), py::int_(static_cast<std::int64_t>(r.hash)),
        source, py::int_(r.position.line),       py::int_(r.position.offset),
        mapping};
    for (Py_ssize_t at = 0; at < 7; ++at) {
      PyTuple_SET_ITEM(row.ptr(), at, parts[at].release().ptr());
    }
    PyList_SET_ITEM(made.ptr(), static_cast<Py_ssize_t>(i), row.release().ptr());
  }
  return made;
}

py::list ended(const Batch& batch) {
  py::list rows;
  for (const Ended& e : batch.ended) {
    rows.append(py::make_tuple(
        e.subscription, id_text(batch.text(e.event_id)), static_cast<std::int64_t>(e.hash),
        e.position.line, e.position.offset, e.invalid ? "invalid" : "dropped", e.code, e.message));
  }
  return rows;
}

// (event id, the id that earlier versions knew it by) of those that had another.
py::list former_ids(const Batch& batch) {
  py::list rows;
  for (const FormerId& one : batch.former) {
    rows.append(py::make_tuple(id_text(batch.text(one.event_id)), id_text(batch.text(one.former))));
  }
  return rows;
}

template <Span Record::* member>
py::bytes part(const Batch& batch, std::size_t index) {
  return bytes_of(batch.text(batch.records.at(index).*member));
}

py::bytes filtered_hashes(const Batch& batch, std::size_t subscription) {
  const auto& hashes = batch.filtered.at(subscription).hashes;
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof(hashes[0])};
}

py::list events(const Chosen& chosen) {
  py::list texts;
  for (const Selected& event : chosen.events) texts.append(bytes_of(chosen.batch.text(event.text)));
  return texts;
}

py::list wanted_by(const Chosen& chosen) {
  py::list lists;
  for (const Selected& event : chosen.events) lists.append(py::cast(event.subscriptions));
  return lists;
}

// bytes: the event; (code, message): invalid; (code, message, "dropped").
Changed changed_of(py::handle item) {
  Changed changed;
  if (py::isinstance<py::bytes>(item)) {
    changed.text = item.cast<std::string_view>();
    return changed;
  }
  const auto told = item.cast<py::tuple>();
  changed.kind = told.size() == 3 ? Changed::Kind::dropped : Changed::Kind::invalid;
  changed.code = told[0].cast<std::string>();
  changed.message = told[1].cast<std::string>();
  return changed;
}

std::shared_ptr<Batch> render(const Plan& plan, const Chosen& chosen, const py::list& results) {
  std::vector<Changed> changed;
  for (const py::handle item : results) changed.push_back(changed_of(item));
  py::gil_scoped_release unlocked;  // the list keeps the texts alive
  return plan.render(chosen, changed);
}

void profile_changed(const Plan& plan, const Chosen& chosen, const py::list& results,
                     Profile& profile) {
  std::vector<Changed> changed;
  for (const py::handle item : results) changed.push_back(changed_of(item));
  py::gil_scoped_release unlocked;  // the list keeps the texts alive
  plan.profile_changed(chosen, changed, profile);
}

// (line, offset, event id, text, subscriptions) of each.
using RecalledTuple =
    std::tuple<std::uint64_t, std::uint64_t, py::bytes, py::bytes, std::vector<std::uint32_t>>;

std::shared_ptr<Chosen> recall(const Plan& plan, std::string source,
                               const std::vector<RecalledTuple>& tuples) {
  std::vector<Recalled> events;
  for (const auto& [line, offset, event_id, text, subscriptions] : tuples) {
    events.push_back({{line, offset}, event_id, text, subscriptions});
  }
  return plan.recall(std::move(source), events);
}

std::shared_ptr<Batch> process_event(const Plan& plan, const py::bytes& event) {
  const std::string_view text = event;
  py::gil_scoped_release unlocked;
  return plan.process_event(text);
}

// How many different 64-bit hashes the arrays hold together, not counting those of `without`.
std::size_t count_distinct(const std::vector<py::bytes>& arrays, const py::bytes& without) {
  std::vector<std::string_view> views(arrays.begin(), arrays.end());
  const std::string_view excluded = without;
  py::gil_scoped_release unlocked;
  return distinct_hashes(views, excluded);
}

}  // namespace

void register_plan(py::module_& module) {
  py::class_<Chunk>(module, "Chunk")
      .def(py::init<std::string, bool, std::size_t>(), py::arg("source"), py::arg("has_place"),
           py::arg("capacity") = Chunk::kDefaultCapacity)
      .def("spare", &spare, py::keep_alive<0, 1>())
      .def("filled", &Chunk::filled, py::arg("bytes"))
      .def("finish", &Chunk::finish)
      .def("ready", &Chunk::ready)
      .def("rest", &Chunk::rest)
      .def(
          "line", [](const Chunk& chunk, std::uint64_t at) { return bytes_of(chunk.line(at)); },
          py::arg("offset"))
      .def("cut", &Chunk::cut, py::arg("events"))
      .def("__len__", &Chunk::size)
      .def("lines", &lines, py::keep_alive<0, 1>())
      .def("note", &Chunk::note, py::arg("line"), py::arg("why"))
      .def_property_readonly("notes", &notes)
      .def_property_readonly("start_line", [](const Chunk& chunk) { return chunk.start().line; })
      .def_property_readonly("start_offset",
                             [](const Chunk& chunk) { return chunk.start().offset; })
      .def_property_readonly("source", &Chunk::source)
      .def_property_readonly("has_place", &Chunk::has_place);

  py::class_<ArrayLines>(module, "ArrayLines")
      .def(py::init<>())
      .def("turn", &turn<ArrayLines>, py::arg("bytes"), py::arg("count"))
      .def("finish", &ArrayLines::finish)
      .def_property_readonly("fault", &array_fault);

  py::class_<EventLines>(module, "EventLines")
      .def(py::init<>())
      .def("turn", &turn<EventLines>, py::arg("bytes"), py::arg("count"))
      .def_property_readonly("open_since", &open_since);

  py::class_<Batch, std::shared_ptr<Batch>>(module, "Batch")
      .def("__len__", [](const Batch& batch) { return batch.records.size(); })
      .def_readonly("source", &Batch::source)
      .def_readonly("received", &Batch::received)
      .def_readonly("by_place", &Batch::by_place)
      .def("keys", &keys)
      .def("rows", &rows, py::arg("kind"), py::arg("targets"))
      .def("ended", &ended)
      .def("former_ids", &former_ids)
      .def("go_by_former", &Batch::go_by_former, py::arg("subscription"), py::arg("event_ids"))
      .def("bodies", &bodies, py::arg("subscription") = py::none())
      .def("tallies", &tallies)
      .def(
          "explain", [](Batch& batch, const Chunk& chunk) { batch.explain(chunk.notes()); },
          py::arg("chunk"))
      .def("filtered_hashes", &filtered_hashes, py::arg("subscription"))
      .def("body", &part<&Record::body>, py::arg("index"))
      .def("url", &part<&Record::url>, py::arg("index"))
      .def("headers", &part<&Record::headers>, py::arg("index"));

  py::class_<Chosen, std::shared_ptr<Chosen>>(module, "Chosen")
      .def("__len__", [](const Chosen& chosen) { return chosen.events.size(); })
      .def("events", &events)
      .def("wanted_by", &wanted_by);

  py::class_<Profile, std::shared_ptr<Profile>>(module, "Profile")
      .def("merge", &Profile::merge, py::call_guard<py::gil_scoped_release>(), py::arg("later"))
      .def("json", &Profile::json);

  py::class_<Plan>(module, "Plan")
      .def(py::init(
               [](const std::string& text) { return std::make_unique<Plan>(Json::parse(text)); }),
           py::arg("document"))
      .def("process", &Plan::process, py::call_guard<py::gil_scoped_release>(), py::arg("chunk"))
      .def("process_event", &process_event, py::arg("event"))
      .def("select", &Plan::select, py::call_guard<py::gil_scoped_release>(), py::arg("chunk"))
      .def("recall", &recall, py::arg("source"), py::arg("events"))
      .def("render", &render, py::arg("chosen"), py::arg("results"))
      .def("profile", &Plan::profile, py::call_guard<py::gil_scoped_release>(), py::arg("chunk"),
           py::arg("mapped") = true)
      .def("profile_changed", &profile_changed, py::arg("chosen"), py::arg("results"),
           py::arg("profile"));

  module.def("count_distinct", &count_distinct, py::arg("arrays"), py::arg("without"));
}
