"""check --events: a destination held against a sample, each warning with the name that is meant."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import fieldpost as fp
from fieldpost.likely_path import likely_path, path_text

ORDER = {
    "messageId": "1",
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "properties": {
        "email": "a@example.com",
        "total": "100",
        "products": [{"sku": "a", "qty": 1}, {"sku": "b"}],
        "address": {"city": "Bonn"},
    },
}
PAGE = {"messageId": "2", "type": "page", "name": "Home", "properties": {"path": "/"}}
EVENTS = [ORDER, PAGE]


def destination(tmp_path, *subscriptions: dict[str, Any], **keys: Any) -> fp.Destination:
    """A webhook, with one subscription on each line from 3 on."""
    listed = [
        {"name": f"s{i}", "url": "https://example.com/in", **one}
        for i, one in enumerate(subscriptions)
    ]
    lines = [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
    lines += ["subscriptions:", *(f"  - {json.dumps(one)}" for one in listed)]
    file = tmp_path / "d.yaml"
    file.write_text("name: d\ntype: webhook\n" + "\n".join(lines) + "\n")
    return fp.Destination.from_file(file)


def told(dest: fp.Destination, events: Any = EVENTS, **options: Any) -> list[str]:
    result = dest.check(events, **options)
    assert result.errors == []
    return [f"{one.code} {one.message}; {one.hint}" for one in result.warnings]


def body(value: Any, **keys: Any) -> dict[str, Any]:
    return {"body": {"a": value}, **keys}


def test_the_five_mistakes_of_a_beginner_are_each_told_with_what_is_meant(tmp_path):
    (tmp_path / "people.csv").write_text("Email,Order ID\na@example.com,7\nb@example.com,8\n")
    dest = destination(
        tmp_path,
        {
            "filter": 'type = "track" and event = "Order Complted"',
            "body": {
                "literal": "$.properties.email",
                "braces": "{{properties.email}}",
                "path": {"@path": "$.propertys.email"},
            },
        },
    )
    warnings = told(dest)
    assert [one.split(" ", 1)[0] for one in warnings] == ["E295", "E296", "E290", "E291", "E293"]
    assert 'did you mean "Order Completed"? 1 event has it' in warnings[0]
    assert 'write {"@path": "$.properties.email"}' in warnings[2]
    assert 'write {"@template": "{{properties.email}}"}' in warnings[3]
    assert '"$.propertys.email" is in none of all 2 events' in warnings[4]
    assert 'did you mean "$.properties.email"?' in warnings[4]
    table = destination(tmp_path, body({"@path": "$.Emial"}), event_id={"@path": "$.['Order ID']"})
    assert told(table, tmp_path / "people.csv") == [
        'E293 "$.Emial" is in none of the 2 events that its filter takes; did you mean "$.Email"?'
    ]


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ({"@path": "$.properties.no"}, "none of the 1 event", 'there are "address", "email", "pr'),
        ({"@path": "$.email"}, "in none", 'did you mean "$.properties.email"?'),
        ({"@path": "$.properties.adress.city"}, "in none", '"$.properties.address.city"?'),
        ({"@path": "$.properties.products.sku"}, "in none", '"$.properties.products[0].sku"?'),
        ({"@path": "$.properties.email.domain"}, "in none", '"$.properties.email" is a text'),
        ({"@path": "$.user_id"}, "in none", 'did you mean "$.userId"?'),
        ({"@template": "{{properties.mail}}"}, "in none", "did you mean {{properties.email}}?"),
        (
            {"@arrayPath": ["$.properties.products", {"a": {"@path": "$.SKU"}}]},
            '"$.SKU" is in none of the 2 items',
            'did you mean "$.sku"?',
        ),
        (
            {"@arrayPath": ["$.properties.products", {"a": {"@path": "$.userId"}}]},
            '"$.userId" is in none of the 2 items',
            'did you mean {"@root": "$.userId"}?',
        ),
        ({"@template": "{{properties.address}}"}, 'put in as "[object Object]"', "name a member"),
        ({"@arrayPath": ["$.userId", {"a": 1}]}, "is never a list, but a text", ""),
    ],
)
def test_a_path_that_no_event_has_is_told_with_a_likely_one(tmp_path, written, message, hint):
    [warning] = told(destination(tmp_path, body(written, filter='type = "track"')))
    assert message in warning.split("; ")[0] and hint in warning.split("; ", 1)[1]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('event = "order completed"', "none of the events has", '"Order Completed"? 1 event has'),
        (
            'event in ["Order Completed", "Order Paid"]',
            'has "Order Paid"',
            'there is "Order Completed" (1)',
        ),
        ("properties.total = 100", "none of the events has 100", '1 event has the text "100"'),
        ("properties.total > 5", "is never a number, but a text", "write number(properties.total)"),
        ("properties.totals > 5", "none of the 2 events", 'did you mean "properties.total"?'),
        (
            'contains(event, "Oder")',
            "holds for none of the events",
            'there is "Order Completed" (1)',
        ),
        ("contains(properties.products, 'a')", "is never a text, but a list", ""),
        ('event != "Order Complted"', "none of the events has", '"Order Completed"?'),
        ("properties.total", "is never a boolean, but a text", "write bool(properties.total)"),
    ],
)
def test_a_condition_that_meets_nothing_is_told(tmp_path, text, message, hint):
    warnings = told(destination(tmp_path, body(1, filter=text)))
    of_filter = [one for one in warnings if not one.startswith("E296")]
    assert len(of_filter) == 1, warnings
    assert message in of_filter[0] and hint in of_filter[0]
    assert len(warnings) == (1 if " in " in text or "!=" in text else 2)


def test_many_values_that_nothing_resembles_are_told_together(tmp_path):
    names = ", ".join(f'"{name}"' for name in ("Order Completd", *"ABCDEFGH"))
    warnings = told(destination(tmp_path, body(1, filter=f"event in [{names}]")))
    assert [one.split("; ")[0] for one in warnings] == [
        'E295 none of the events has "Order Completd" as "event"',
        'E295 none of the events has "A" or one of 7 other values as "event"',
        'E296 "s0" takes none of the events',
    ]


@pytest.mark.parametrize(
    "one",
    [
        body({"@default": [{"@path": "$.nowhere"}, {"@path": "$.userId"}]}),
        body({"@default": [{"@path": "$.user_id"}, {"@path": "$.userId"}]}),
        body({"@if": {"exists": {"@path": "$.nowhere"}, "then": 1}}),
        body({"@path": "$.properties.email"}),  # one event of two has it
        body({"@path": "$.properties.products[0].qty"}),
        body({"@template": "{{properties.products}}"}),
        body(1, filter='event != "Test"'),
        body(1, filter='!contains(event, "Test")'),
        body(1, filter="properties.email != null"),
        body(1, filter='!(event = "Refund") and type in ["page", "track"]'),
    ],
)
def test_what_may_be_absent_is_not_warned_of(tmp_path, one):
    assert told(destination(tmp_path, one)) == []


def test_an_address_that_some_events_leave_a_hole_in_is_told(tmp_path):
    url = {"@template": "https://example.com/{{userId}}"}
    [warning] = told(destination(tmp_path, body(1, url=url)))
    assert warning.startswith('E298 "$.userId", a part of the address, is not in 1 of 2 events')
    dest = destination(tmp_path, body(1, url=url, filter='type = "track"'))
    assert told(dest) == []


def test_a_key_of_dynamics_is_told_where_it_stands(tmp_path):
    file = tmp_path / "d.yaml"
    file.write_text(
        "name: d\ntype: dynamics365\nurl: https://a.crm.dynamics.com\n"
        "auth: {type: bearer, token: {env: T}}\nsubscriptions:\n"
        "  - {name: off, enabled: false, action: create, table: account, body: {name: x}}\n"
        "  - name: a\n    action: upsert\n    table: account\n"
        '    key: {accountnumber: {"@path": "$.user_id"}}\n'
        '    body: {name: {"@path": "$.userId"}}\n'
    )
    found = fp.check_file(file, EVENTS).warnings
    [warning] = [one for one in found if one.code.startswith("E29")]
    assert (warning.line, warning.path) == (
        10,
        "$.subscriptions[1].key.accountnumber.@path",
    )
    assert warning.hint == 'did you mean "$.userId"?'


def test_functions_and_transforms_are_looked_behind(tmp_path):
    (tmp_path / "f.py").write_text(
        "def on_track(event, settings):\n    event['made'] = 1\n    return event\n"
        "def on_page(event, settings):\n    return None\n"
    )
    dest = destination(
        tmp_path, body({"@path": "$.made"}), body({"@path": "$.mode"}), functions="f.py"
    )
    warnings = told(dest)
    assert warnings == [
        'E293 "$.mode" is in none of the 1 event that its filter takes; did you mean "$.made"?'
    ]
    profile = dest.check(EVENTS).events
    assert [(one.events, one.mapped) for one in profile.subscriptions] == [(2, 1), (2, 1)]
    drop = [{"type": "drop_properties", "config": {"drop": {"properties": ["email"]}}}]
    dest = destination(tmp_path, body({"@path": "$.properties.email"}, transforms=drop))
    assert told(dest)[0].startswith('E293 "$.properties.email" is in none of the 2 events')


def test_events_that_only_their_place_tells_apart_are_told_with_a_likely_id(tmp_path):
    [warning] = told(destination(tmp_path, body(1)), [{"message_id": "m-1"}, {"message_id": "m"}])
    assert warning.startswith("E708 only their place in the source tells 2 of 2 events apart")
    assert '{"@path": "$.message_id"}' in warning


def test_a_sample_that_is_none_is_told(tmp_path):
    dest = destination(tmp_path, body(1))
    assert told(dest, b"\n") == ["E299 there are no events in it; "]
    warnings = told(dest, b'{"messageId":"1"}\n{broken\n')
    assert warnings[-1].startswith("E299 1 of 2 lines are no events")
    with pytest.raises(fp.SourceError):
        dest.check(tmp_path / "none.ndjson")


def test_what_a_source_doubts_is_told(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    ends = pyarrow.array([10**12, 0], pyarrow.timestamp("s"))
    table = pyarrow.table({"messageId": ["1", "2"], "ends": ends})
    warnings = told(destination(tmp_path, body({"@path": "$.ends"})), table)
    assert [one.split(" ", 1)[0] for one in warnings] == ["E817"]


def test_the_limit_is_kept_and_nought_means_all(tmp_path):
    dest = destination(tmp_path, body(1))
    events = [{"messageId": str(i)} for i in range(30)]
    assert dest.check(events, limit=7).events.received == 7
    assert dest.check(events, limit=0).events.received == 30


def test_a_file_with_mistakes_reads_no_events(tmp_path):
    destination(tmp_path, body(1))
    file = tmp_path / "d.yaml"
    file.write_text(file.read_text().replace("webhook", "wbhook"))
    result = fp.check_file(file, tmp_path / "none.ndjson")
    assert result.errors and result.events is None
    assert list(result.to_dict()) == ["errors", "warnings"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fieldpost", "check", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_tells_the_counts_and_warnings_do_not_fail_it(tmp_path):
    destination(tmp_path, body({"@path": "$.user_id"}, filter='type = "track"'))
    sample = tmp_path / "events.ndjson"
    sample.write_text("".join(json.dumps(one) + "\n" for one in EVENTS))
    words = (str(tmp_path / "d.yaml"), "--events", str(sample))
    for_people = run(*words)
    assert for_people.returncode == 0, for_people.stderr
    assert 'did you mean "$.userId"?' in for_people.stdout
    assert " s0                 1\n" in for_people.stdout
    assert run(*words, "--strict").returncode == 4
    told = json.loads(run(*words, "--output", "json").stdout)
    assert list(told) == ["errors", "warnings", "events", "paths", "values", "subscriptions"]
    assert told["events"] == {
        "source": str(sample),
        "limit": 100000,
        "received": 2,
        "invalid": 0,
        "by_place": 0,
    }
    path = next(one for one in told["paths"] if one["path"] == "$.user_id")
    assert path == {
        "subscription": "s0",
        "place": "$.subscriptions[0].body.a.@path",
        "line": 4,
        "column": path["column"],
        "path": "$.user_id",
        "per": "event",
        "matching": 1,
        "present": 0,
        "null": 0,
        "missing": 1,
        "types": {},
        "filter": False,
        "suggestion": "$.userId",
    }
    [value] = told["values"]
    assert (value["field"], value["compared"], value["events"]) == ("type", '"track"', 1)
    assert value["others"] == [{"value": '"page"', "type": "text", "events": 1}]
    assert told["subscriptions"][0]["events"] == 1


def test_delimited_samples_are_read_as_they_are_told_to_be(tmp_path):
    destination(tmp_path, body({"@path": "$.Emial"}), event_id={"@path": "$.id"})
    (tmp_path / "a.csv").write_bytes("id|Email\n1|a\n".encode("utf-16"))
    words = (str(tmp_path / "d.yaml"), "--csv", "encoding=utf-16", "--csv", "delimiter=|")
    told = run(*words, "--events", str(tmp_path / "a.csv"))
    assert told.returncode == 0 and 'did you mean "$.Email"?' in told.stdout
    assert run(*words).returncode == 2


def test_strict_is_for_plain_warnings_too(tmp_path):
    destination(tmp_path, body("$.userId"))
    assert run(str(tmp_path / "d.yaml")).returncode == 0
    assert run(str(tmp_path / "d.yaml"), "--strict").returncode == 4
    destination(tmp_path, body(1))
    assert run(str(tmp_path / "d.yaml"), "--strict").returncode == 0


def test_the_result_shows_itself_in_a_notebook(tmp_path):
    page = destination(tmp_path, body({"@path": "$.userId"})).check(EVENTS)._repr_html_()
    assert "$.userId" in page and "subscription" in page


# -- likely paths


TREE = {
    "count": 1,
    "types": ["object"],
    "in": {
        "user": {"count": 1, "in": {"id": {"count": 1}}},
        "user.name": {"count": 1, "types": ["string"]},
        "list": {
            "count": 1,
            "types": ["array"],
            "items": {"count": 2, "in": {"sku": {"count": 2, "types": ["string"]}}},
        },
        "deep": {"count": 1, "in": {"email": {"count": 1}, "other": {"count": 9}}},
    },
}


@pytest.mark.parametrize(
    ("steps", "likely"),
    [
        (("user", "name"), "$.['user.name']"),
        (("list", "sku"), "$.list[0].sku"),
        (("list", "3", "skus"), "$.list[3].sku"),
        (("list", None, "SKU"), "$.list[0].sku"),
        (("E-mail",), "$.deep.email"),
        (("dep", "emial"), "$.deep.email"),
        (("nothing", "alike"), None),
        (("deep", "e"), None),
        (("user", "nam"), None),
    ],
)
def test_the_likely_path_is_the_one_with_the_fewest_slips(steps, likely):
    found = likely_path(TREE, steps)
    assert (found and path_text(found)) == likely
