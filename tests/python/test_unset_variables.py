"""A file whose variables are not set here: it is checked, shown and mapped all the same."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

import fieldpost as fp
from fieldpost.cli.app import app

EVENT = {"type": "track", "event": "Account Created", "messageId": "m", "properties": {}}
WEBHOOK = """\
name: hook
type: webhook
url: {env: F_URL}
auth: {type: bearer, token: {env: F_TOKEN}}
signing: {standard_webhooks: {env: F_SIGN}, segment: {file: gone.key}}
functions: f.py
settings: {key: {env: F_KEY, secret: true}, region: {env: F_REGION}}
source: {env: F_SOURCE}
subscriptions:
  - name: all
    headers: {X-Key: {env: F_HEADER}}
    body: {a: {env: F_BODY}, b: {"@path": $.b}}
delivery:
  max_in_flight: {env: F_MANY}
  proxy: {url: "http://p.example:80", username: u, password: {env: F_PROXY}}
"""
FUNCTION = """\
def on_track(event, settings):
    return event | {"b": settings["key"] + settings["region"]}
"""
VARIABLES = ["URL", "TOKEN", "SIGN", "KEY", "REGION", "SOURCE", "HEADER", "BODY", "MANY", "PROXY"]
SHOWN = {"a": "${F_BODY}", "b": "${F_KEY}${F_REGION}"}


@pytest.fixture(name="file")
def fixture_file(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(f"F_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hook.yaml").write_text(WEBHOOK)
    (tmp_path / "f.py").write_text(FUNCTION)
    (tmp_path / "one.json").write_text(json.dumps(EVENT) + "\n")
    return tmp_path / "hook.yaml"


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_check_warns_of_each_and_ends_with_0(file):
    printed = run("check", file)
    assert set(re.findall(r"warning E121 the environment variable F_(\w+)", printed)) == set(
        VARIABLES
    )
    assert re.search(r":5:\d+: warning E122", printed) and printed.endswith(": no mistakes\n")
    assert fp.Destination.from_file(file).check() == fp.check_file(file)


def test_check_tells_the_other_mistakes_as_errors_and_unset_ones_as_warnings(file):
    file.write_text(WEBHOOK.replace("    body:", "    bdy: 1\n    body:"))
    result = fp.check_file(file)
    assert [one.code for one in result.errors] == ["E110"]
    assert "E121" in {one.code for one in result.warnings}


def test_a_variable_that_decides_what_the_file_is_stays_a_mistake(file):
    file.write_text(WEBHOOK.replace("type: webhook", "type: {env: F_KIND}"))
    found = {(one.code, one.path) for one in fp.check_file(file).errors}
    assert ("E121", "$.type") in found and ("E113", "$.type") not in found
    with pytest.raises(fp.ConfigError, match=r"E121.*F_KIND"):
        fp.Destination.from_file(file).preview([EVENT])


def test_variables_that_are_set_are_not_warned_of(file, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(
            f"F_{name}", {"URL": "https://h.example", "MANY": "2"}.get(name, "whsec_AAAA")
        )
    assert [one.code for one in fp.check_file(file).warnings] == ["E122"]


@pytest.mark.parametrize("verb", ["preview", "transform", "explain"])
def test_a_verb_that_sends_nothing_needs_no_variable(file, verb):
    printed = run(verb, file, "one.json", "--output", "json")
    told = json.loads(printed)
    rows = {"preview": lambda: told[0], "transform": lambda: told}
    row = rows.get(verb, lambda: told["subscriptions"][0])()
    assert row["body"] == SHOWN
    if verb == "preview":
        assert (row["url"], row["headers"]["X-Key"]) == ("https://f-url.invalid", "${F_HEADER}")


def test_a_dry_run_needs_the_address_alone(file, monkeypatch):
    told = CliRunner().invoke(app, ["deliver", str(file), "one.json", "--dry-run"])
    assert told.exit_code == 2 and told.stderr.count("E121") == 1 and "F_URL" in told.stderr
    monkeypatch.setenv("F_URL", "https://h.example/in")
    assert (
        json.loads(run("deliver", file, "one.json", "--dry-run", "--output", "json"))["waiting"]
        == 1
    )
    assert run("replay", file, "--all", "--dry-run").startswith("0 fit the condition\n")


def test_a_source_that_is_not_known_is_told(file):
    with pytest.raises(fp.ConfigError, match=r"E121.*F_SOURCE"):
        fp.Destination.from_file(file).preview()


def test_a_run_needs_them_all(file):
    with pytest.raises(fp.ConfigError) as caught:
        fp.Destination.from_file(file).deliver([EVENT])
    assert [one.code for one in caught.value.mistakes] == ["E121"] * 6
    assert not list(file.parent.glob("*.db"))
