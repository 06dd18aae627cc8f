"""Unit cases of a destination: how they are written, what they say, and who runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import fieldpost as fp
from fieldpost.difference import differences

DYNAMICS = """\
name: Sign-ups
type: dynamics365
url: {env: NOT_SET_URL}
auth:
  type: oauth2
  token_url: {env: NOT_SET_TOKEN_URL}
  client_id: {env: NOT_SET_ID}
  client_secret: {env: NOT_SET_SECRET}
functions: accounts.py
settings: {region: eu, key: {env: NOT_SET_KEY}}
subscriptions:
  - name: New account
    filter: type = "track" and event = "Account Created"
    action: create
    table: account
    body:
      name: {"@path": "$.properties.company"}
      revenue: {"@path": "$.properties.revenue"}
      region: {"@path": "$.region"}
delivery: {max_in_flight: {env: NOT_SET_N}}
"""
FUNCTION = """\
import fieldpost as fp


def on_track(event, settings):
    if event.get("properties", {}).get("internal"):
        raise fp.DropEvent("one of our own")
    event["region"] = settings["region"] + settings["key"]
    return event
"""
CREATED = "{type: track, event: Account Created, messageId: a, properties: {company: Acme}}"
WEBHOOK = """\
name: Hook
type: webhook
subscriptions:
  - name: one
    url: https://example.com/in
    filter: type = "track"
    method: PUT
    headers: {X-User: {"@path": "$.userId"}}
    body: {user: {"@path": "$.userId"}, total: {"@number": {"@path": "$.properties.total"}}}
  - name: two
    enabled: false
    url: https://example.com/in
"""


def write(folder: Path, text: str, name: str = "d.yaml") -> Path:
    (folder / "accounts.py").write_text(FUNCTION)
    (folder / name).write_text(text)
    return folder / name


def one_case(tmp_path: Path, base: str, case: str) -> fp.CaseResult:
    (only,) = fp.unit_cases(write(tmp_path, f"{base}tests:\n  - {{name: it, {case}}}\n"))
    return only.run()


@pytest.mark.parametrize(
    "case",
    [
        f"event: {CREATED}, expect: {{body: {{name: Acme, region: 'eu${{NOT_SET_KEY}}'}}}}",
        f"event: {CREATED}, settings: {{key: '!', x: 1}},"
        " expect: {body: {name: Acme, region: eu!}}",
        "event: {type: page}, expect: filtered",
        "event: {type: page}, expect: {filtered: true}, subscription: New account",
        "events: [{type: page}, {type: screen}], expect: filtered",
        f"events: [{{type: page}}, {CREATED}],"
        " expect: [filtered, {request: {method: POST,"
        " url: 'https://not-set-url.invalid/api/data/v9.2/accounts'}}]",
        "event: {type: track, event: Account Created, properties: {internal: true}},"
        " expect: {dropped: E413}",
        "event: {type: track, event: Account Created, properties: {internal: 1}}, expect: dropped",
        "event: {type: track, event: Account Created, properties: 5}, expect: {invalid: E411}",
        "event: {type: track, event: Account Created, properties: 5}, expect: invalid",
    ],
)
def test_a_case_holds(case, tmp_path):
    result = one_case(tmp_path, DYNAMICS, case)
    assert result.ok is True, str(result)
    assert result.to_dict() == {"name": "it", "ok": True, "difference": []}


@pytest.mark.parametrize(
    ("case", "difference"),
    [
        (
            f"event: {CREATED}, expect: {{body: {{name: Acme Ltd, plan: [1]}}}}",
            [
                {"path": "$.name", "expected": "Acme Ltd", "got": "Acme"},
                {"path": "$.plan", "expected": [1]},
                {"path": "$.region", "got": "eu${NOT_SET_KEY}"},
            ],
        ),
        (
            f"event: {CREATED}, expect: filtered",
            [{"path": "outcome", "expected": "filtered", "got": "mapped by New account"}],
        ),
        (
            "event: {type: page}, expect: {body: {}}",
            [
                {
                    "path": "outcome",
                    "expected": "body",
                    "got": "filtered",
                    "why": 'New account: type = "track" (type is "page");'
                    ' event = "Account Created" (event is missing)',
                }
            ],
        ),
        (
            "event: {type: track, event: Account Created, properties: {internal: 1}},"
            " expect: {dropped: E403}",
            [
                {
                    "path": "code",
                    "expected": "E403",
                    "got": "E413",
                    "why": "one of our own",
                }
            ],
        ),
        (
            f"event: {CREATED}, expect: {{invalid: E403}}",
            [{"path": "outcome", "expected": "invalid", "got": "mapped by New account"}],
        ),
        (
            f"events: [{CREATED}, {{type: page}}], expect: filtered",
            [{"path": "event 1: outcome", "expected": "filtered", "got": "mapped by New account"}],
        ),
    ],
)
def test_a_case_tells_field_by_field_what_differs(case, difference, tmp_path):
    result = one_case(tmp_path, DYNAMICS, case)
    assert result.ok is False and not result
    assert result.to_dict()["difference"] == difference


def test_a_request_is_compared_in_the_parts_that_are_named(tmp_path):
    event = "event: {type: track, userId: u, properties: {total: '12.50'}}"
    right = (
        "method: PUT, headers: {x-user: u, Content-Type: application/json},"
        " body: {user: u, total: 12.5}"
    )
    assert one_case(tmp_path, WEBHOOK, f"{event}, expect: {{request: {{{right}}}}}").ok
    wrong = "method: POST, url: https://x.test, headers: {X-User: v, Y: 1}, body: {user: u}"
    result = one_case(tmp_path, WEBHOOK, f"{event}, expect: {{request: {{{wrong}}}}}")
    assert [str(one) for one in result.difference] == [
        'method: expected "POST", got "PUT"',
        'url: expected "https://x.test", got "https://example.com/in"',
        'headers.X-User: expected "v", got "u"',
        "headers.Y: expected 1, got nothing",
        "body.total: expected nothing, got 12.50",
    ]


def test_a_record_that_its_protocol_refuses_is_rejected(tmp_path):
    base = WEBHOOK.replace('{"@path": "$.userId"}}', '{"@path": "$.properties"}}', 1)
    case = "event: {type: track, properties: {total: 1}}, expect: {rejected: E512}"
    assert one_case(tmp_path, base, case).ok
    case = "event: {type: track, properties: {total: x}}, expect: {invalid: E407}"
    assert one_case(tmp_path, WEBHOOK, case).ok


def test_a_case_of_a_disabled_subscription_does_not_run(tmp_path):
    result = one_case(tmp_path, WEBHOOK, "event: {}, subscription: two, expect: filtered")
    assert result.ok is None and bool(result)
    assert str(result) == "not run: it"


def test_two_subscriptions_need_a_name_where_one_is_meant(tmp_path):
    base = WEBHOOK.replace("    enabled: false\n", "")
    event = "event: {type: track, userId: u, properties: {total: 1}}"
    result = one_case(tmp_path, base, f"{event}, expect: {{body: {{user: u, total: 1}}}}")
    assert [one.got for one in result.difference] == ["one, two"]
    named = f"{event}, subscription: one, expect: {{body: {{user: u, total: 1}}}}"
    assert one_case(tmp_path, base, named).ok


def test_events_come_from_a_file(tmp_path):
    events = [{"type": "page"}, {"type": "track", "userId": "u", "properties": {"total": 1}}]
    (tmp_path / "lines.ndjson").write_text("\n".join(map(json.dumps, events)) + "\n{broken\n")
    (tmp_path / "list.json").write_text(json.dumps(events, indent=2))
    (tmp_path / "one.json").write_text(json.dumps(events[1], indent=2))
    body = "{body: {user: u, total: 1}}"
    for file, expect in (
        ("lines.ndjson", f"[filtered, {body}, {{invalid: E401}}]"),
        ("list.json", f"[filtered, {body}]"),
        ("one.json", body),
    ):
        assert one_case(tmp_path, WEBHOOK, f"file: {file}, expect: {expect}").ok


def test_cases_may_stand_in_a_file_beside(tmp_path):
    file = write(tmp_path, WEBHOOK + "tests:\n  - {name: a, event: {}, expect: filtered}\n")
    (tmp_path / "d.tests.yaml").write_text("tests:\n  - {name: b, event: {}, expect: filtered}\n")
    report = fp.Destination.from_file(file).test()
    assert [one.name for one in report] == ["a", "b"]
    assert report and len(report) == 2
    assert "<td>b</td><td>ok</td>" in report._repr_html_()
    (tmp_path / "d.tests.yaml").write_text("tests:\n  - {name: a, event: {}, expct: filtered}\n")
    errors = fp.check_file(file).errors
    assert [(one.file, one.line, one.code, one.path) for one in errors] == [
        ("d.tests.yaml", 2, "E156", "$.tests[0]"),
        ("d.tests.yaml", 2, "E114", "$.tests[0].name"),
        ("d.tests.yaml", 2, "E110", "$.tests[0].expct"),
    ]


MISTAKES = """\
tests:
  - event: {}
    expect: filtered
  - {name: a, expect: filtered}
  - {name: a, event: {}, events: [{}], expect: filtered}
  - {name: b, event: [], expect: filtered}
  - {name: c, events: [], expect: filtered}
  - {name: d, file: nowhere.ndjson, expect: filtered}
  - {name: e, event: {}}
  - {name: f, event: {}, expect: filterd}
  - {name: g, event: {}, expect: {bdy: 1}}
  - {name: h, event: {}, expect: {body: 1, request: {method: POST}}}
  - {name: i, event: {}, expect: {invalid: 403}}
  - {name: j, event: {}, expect: {request: {methd: POST}}}
  - {name: k, events: [{}, {}], expect: [filtered]}
  - {name: l, event: {}, subscription: ones, expect: filtered}
  - {name: m, event: {}, settings: [1], expect: filtered}
  - a text
"""


def test_every_mistake_in_the_cases_is_told_by_check(tmp_path):
    errors = fp.check_file(write(tmp_path, WEBHOOK + MISTAKES)).errors
    start = len(WEBHOOK.splitlines())
    told = [(one.line - start, one.code, one.path.removeprefix("$.tests")) for one in errors]
    assert told == [
        (2, "E111", "[0].name"),
        (4, "E155", "[1]"),
        (5, "E114", "[2].name"),
        (5, "E155", "[2].events"),
        (6, "E112", "[3].event"),
        (7, "E112", "[4].events"),
        (8, "E158", "[5].file"),
        (9, "E156", "[6]"),
        (10, "E156", "[7].expect"),
        (11, "E110", "[8].expect.bdy"),
        (12, "E156", "[9].expect.request"),
        (13, "E113", "[10].expect.invalid"),
        (14, "E110", "[11].expect.request.methd"),
        (15, "E159", "[12].expect"),
        (16, "E157", "[13].subscription"),
        (17, "E112", "[14].settings"),
        (18, "E112", "[15]"),
    ]
    hints = {one.path.removeprefix("$.tests"): one.hint for one in errors}
    assert hints["[7].expect"] == 'did you mean "filtered"?'
    assert hints["[8].expect.bdy"] == 'did you mean "body"?'
    assert hints["[13].subscription"] == 'did you mean "one"?'
    with pytest.raises(fp.ConfigError, match="E155"):
        fp.unit_cases(tmp_path / "d.yaml")


@pytest.mark.parametrize("tests", ["5", "", "{a: 1}", "text"])
def test_tests_are_a_list(tests, tmp_path):
    errors = fp.check_file(write(tmp_path, WEBHOOK + f"tests: {tests}\n")).errors
    assert [(one.code, one.path) for one in errors] == [("E112", "$.tests")]


def test_an_environment_reference_in_a_case_is_plain_data(tmp_path):
    base = WEBHOOK.replace('user: {"@path": "$.userId"}', 'user: {"@path": "$.properties.u"}')
    case = (
        "event: {type: track, userId: u, properties: {u: {env: NO_SUCH}}},"
        " expect: {body: {user: {env: NO_SUCH}}}"
    )
    assert one_case(tmp_path, base, case).ok
    assert fp.check_file(tmp_path / "d.yaml")


def test_the_environment_does_not_matter(tmp_path, monkeypatch):
    case = "event: {type: page}, expect: filtered"
    monkeypatch.setenv("NOT_SET_URL", "not an address")
    monkeypatch.setenv("NOT_SET_N", "no number")
    monkeypatch.setenv("FIELDPOST_CA_FILE", "/nowhere.pem")
    assert one_case(tmp_path, DYNAMICS, case).ok


def run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=cwd,
        check=False,
    )


def test_the_command_tells_scripts_and_people(tmp_path):
    cases = "tests:\n  - {name: a, event: {}, expect: filtered}\n"
    file = write(tmp_path, WEBHOOK + cases)
    told = run("fieldpost", "test", file, "--output", "json", cwd=tmp_path)
    assert (told.returncode, json.loads(told.stdout)) == (
        0,
        [{"name": "a", "ok": True, "difference": []}],
    )
    file = write(tmp_path, WEBHOOK + cases.replace("filtered", "{body: 1}"))
    told = run("fieldpost", "test", file, cwd=tmp_path)
    assert told.returncode == 4
    assert "FAIL a\n" in told.stdout and 'expected "body", got "filtered"' in told.stdout
    file = write(tmp_path, WEBHOOK + cases.replace("event", "evnt"))
    told = run("fieldpost", "test", file, cwd=tmp_path)
    assert told.returncode == 2 and "E110" in told.stderr
    file = write(tmp_path, WEBHOOK)
    told = run("fieldpost", "test", file, cwd=tmp_path)
    assert told.returncode == 0 and "no unit cases" in told.stdout


def test_pytest_collects_the_cases_of_a_destination(tmp_path):
    cases = "tests:\n  - {name: right, event: {}, expect: filtered}\n"
    cases += "  - {name: wrong, event: {}, expect: {body: 1}}\n"
    cases += "  - {name: off, event: {}, subscription: two, expect: filtered}\n"
    write(tmp_path, WEBHOOK + cases, "hook.yaml")
    write(tmp_path, "type: webhook\ntests: 5\n", "broken.yaml")
    write(tmp_path, "tests: [not, ours]\n", "other.yaml")
    write(tmp_path, WEBHOOK, "none.yaml")
    (tmp_path / "test_hook.py").write_text(
        "import fieldpost, pytest\n"
        "@pytest.mark.parametrize('case', fieldpost.unit_cases('hook.yaml')[:1], ids=str)\n"
        "def test_case(case):\n    result = case.run()\n    assert result, str(result)\n"
    )
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = -p fieldpost.integrations.pytest_plugin\n"
    )
    told = run("pytest", "-q", "-rA", "-p", "no:cacheprovider", ".", cwd=tmp_path)
    assert "1 error in" in told.stdout and told.returncode == 2, told.stdout
    (tmp_path / "broken.yaml").unlink()
    told = run("pytest", "-q", "-rA", "-p", "no:cacheprovider", ".", cwd=tmp_path)
    assert "1 failed, 2 passed, 1 skipped" in told.stdout, told.stdout
    assert "PASSED hook.yaml::right" in told.stdout
    assert 'outcome: expected "body", got "filtered"' in told.stdout
    assert "PASSED test_hook.py::test_case[right]" in told.stdout


def test_one_is_one_point_zero_and_not_true():
    assert differences({"a": [1, 2.0]}, {"a": [1.0, 2]}) == []
    assert len(differences([1, 0, None], [True, False, 0])) == 3
    assert [str(one) for one in differences([1], [], start="body")] == [
        "body[0]: expected 1, got nothing"
    ]
