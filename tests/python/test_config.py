"""The destination file: what it may say, and every mistake with its place."""

import json
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from fieldpost.config import SecretRef, load, parse
from fieldpost.errors import ConfigError, Mistake
from fieldpost.yaml_text import YamlText, parse_path, path_text

WEBHOOK = """\
name: Hook
type: webhook
subscriptions:
  - name: All
    url: https://example.com/in
"""
DYNAMICS = """\
# a comment
id: segment-to-dynamics
name: Segment to Microsoft Dynamics Integration
description: A new account for every sign-up
enabled: true      # the one truth
type: dynamics365
url: https://org2fd4b414.crm.dynamics.com
auth:
  type: oauth2
  grant: client_credentials
  token_url: https://login.example.com/t/oauth2/v2.0/token
  client_id: {env: CLIENT}
  client_secret: {env: SECRET}
  scope: https://org2fd4b414.crm.dynamics.com/.default
settings: {region: eu, key: {env: REGION_KEY}}
subscriptions:
  - name: New account
    filter: type = "track" and event = "Account Created"
    action: create
    table: account
    body:
      name: {"@path": "$.properties.company"}
      country: NO
      since: 2020-01-01
      kept: {env: [1]}
delivery: {batching: off, max_in_flight: 4, retry: {max_elapsed_s: 60, statuses: [429, 503]}}
"""
ENV = {"CLIENT": "app-1", "SECRET": "s3cr3t-marked", "REGION_KEY": "k3y-marked"}


def mistakes(text: str, env: dict[str, str] | None = None, **more: Any) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        parse(text, more.get("name", "d.yaml"), ENV if env is None else env)
    return caught.value.mistakes


def only(text: str, **more: Any) -> Mistake:
    found = mistakes(text, **more)
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


def test_the_dynamics_form_is_read() -> None:
    config = parse(DYNAMICS, "d.yaml", ENV)
    assert (config.id, config.type, config.enabled) == ("segment-to-dynamics", "dynamics365", True)
    assert config.auth.type == "oauth2"
    assert config.auth.client_id == "app-1"
    assert config.auth.client_secret == SecretRef(env="SECRET")
    one = config.subscriptions[0]
    assert (one.id, one.action, one.table) == ("New account", "create", "account")
    assert one.filter.text == 'type = "track" and event = "Account Created"'
    assert one.body["country"] == "NO"
    assert one.body["since"] == "2020-01-01"
    assert one.body["kept"] == {"env": [1]}
    assert config.delivery.batching == "off"
    assert config.delivery.max_in_flight == 4
    assert config.delivery.retry.statuses == (429, 503)
    assert config.event_id == {"@path": "$.messageId"}
    assert not config.event_id_given


def test_the_webhook_form_has_defaults() -> None:
    config = parse(WEBHOOK, "/x/hook.yaml", {})
    one = config.subscriptions[0]
    assert (config.id, config.auth.type, config.ca_path) == ("Hook", "none", None)
    assert (one.action, one.method, one.filter.text) == ("send", "POST", "all")
    assert (one.filter.dialect, one.enabled, one.headers, one.body) == ("fieldpost", True, {}, None)
    assert config.ledger_location == "/x/hook.ledger.db"
    assert config.delivery.on_unconfirmed == "hold"
    assert config.delivery.retry.max_elapsed_s == 14400


def test_paths_start_from_the_folder_of_the_file() -> None:
    text = WEBHOOK + "source: [a/*.ndjson, '-']\nledger: l.db\n"
    config = parse(text, "/x/hook.yaml", {"FIELDPOST_CA_FILE": ""})
    assert config.sources == ["/x/a/*.ndjson", "-"]
    assert config.ledger_location == "/x/l.db"


def test_a_webhook_may_share_one_address() -> None:
    text = WEBHOOK.replace("    url: https://example.com/in\n", "") + "url: https://example.com\n"
    assert parse(text, "d.yaml", {}).subscriptions[0].url == "https://example.com"


@pytest.mark.parametrize("word", ["off", "false", "'off'", "False"])
def test_off_and_false_are_the_same_for_batching(word: str) -> None:
    assert parse(WEBHOOK + f"delivery: {{batching: {word}}}\n").delivery.batching == "off"


def test_environment_texts_become_numbers_and_flags_where_those_are_wanted() -> None:
    text = (
        WEBHOOK + "enabled: {env: ON}\ndelivery: {max_in_flight: {env: N}, timeout_s: {env: T}}\n"
    )
    config = parse(text, "d.yaml", {"ON": "false", "N": "8", "T": "2.5"})
    assert (config.enabled, config.delivery.max_in_flight) == (False, 8)
    assert config.delivery.timeout_s == 2.5
    assert only(text, env={"ON": "true", "N": "many", "T": "1"}).path == "$.delivery.max_in_flight"


def test_missing_variables_are_all_named_with_their_line() -> None:
    found = mistakes(DYNAMICS, env={"SECRET": "x"})
    assert [(one.code, one.path, one.line) for one in found] == [
        ("E121", "$.auth.client_id", 12),
        ("E121", "$.settings.key", 15),
    ]
    assert "CLIENT" in found[0].message


def test_all_mistakes_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
nme: Hook
type: webhok
auth: {type: bearer, token: s3cr3t-marked}
subscriptions:
  - name: A
    filtr: all
    url: http://example.com/in
  - name: A
    url: https://example.com
    method: PUSH
delivery: {max_in_flight: 65, on_unconfirmed: maybe, retry: {statuses: [200]}}
"""
    found = mistakes(text)
    places = [(one.code, one.path, one.line) for one in found]
    assert places == [
        ("E111", "$.name", 1),
        ("E110", "$.nme", 1),
        ("E113", "$.type", 2),
        ("E120", "$.auth.token", 3),
        ("E110", "$.subscriptions[0].filtr", 6),
        ("E116", "$.subscriptions[0].url", 7),
        ("E114", "$.subscriptions[1].name", 8),
        ("E113", "$.subscriptions[1].method", 10),
        ("E113", "$.delivery.max_in_flight", 11),
        ("E113", "$.delivery.on_unconfirmed", 11),
        ("E113", "$.delivery.retry.statuses[0]", 11),
    ]
    hints = {one.path: one.hint for one in found}
    assert hints["$.nme"] == 'did you mean "name"?'
    assert hints["$.type"] == 'did you mean "webhook"?'
    assert hints["$.subscriptions[0].filtr"] == 'did you mean "filter"?'
    assert "s3cr3t-marked" not in str(ConfigError(found))
    assert found[4].column == 5


SUB = "$.subscriptions[0]."
AUTH = "auth:\n  type: oauth2\n  token_url: https://x/t\n  client_id: a\n  client_secret: "


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (WEBHOOK.replace("Hook", "''"), "E113", "$.name"),
        (WEBHOOK.replace("Hook", "5"), "E112", "$.name"),
        (WEBHOOK + "description:\n", "E112", "$.description"),
        (WEBHOOK + "settings: [1]\n", "E112", "$.settings"),
        (WEBHOOK + "transforms: []\n", "E110", "$.transforms"),
        (WEBHOOK + "event_id: $.messageId\n", "E113", "$.event_id"),
        (WEBHOOK + "ledger: postgresql://u:p@db/x\n", "E120", "$.ledger"),
        (WEBHOOK + "functions: nowhere.py\n", "E118", "$.functions"),
        (WEBHOOK + "ca_file: nowhere.pem\n", "E118", "$.ca_file"),
        (WEBHOOK + "auth: {type: azure_identity}\n", "E111", "$.auth.scope"),
        (WEBHOOK + "auth: {typ: none}\n", "E111", "$.auth.type"),
        (WEBHOOK + "auth: {type: basik}\n", "E113", "$.auth.type"),
        (WEBHOOK + "auth: {type: none, token: {env: X}}\n", "E110", "$.auth.token"),
        (WEBHOOK + "delivery: {batching: maybe}\n", "E113", "$.delivery.batching"),
        (DYNAMICS.replace("batching: off", "batching: on"), "E117", "$.delivery.batching"),
        (WEBHOOK + "delivery: {max_in_flight: true}\n", "E112", "$.delivery.max_in_flight"),
        (WEBHOOK + "delivery: {retry: {wait_max_s: 0.5}}\n", "E113", "$.delivery.retry.wait_max_s"),
        (WEBHOOK + "delivery: {connect_timeout_s: 0.0001}\n", "E113",
         "$.delivery.connect_timeout_s"),
        (WEBHOOK + "delivery: {timeout_s: 1e12}\n", "E113", "$.delivery.timeout_s"),
        (WEBHOOK + "delivery: {rate: {requests: 99999999999999999999, window_s: 1}}\n", "E113",
         "$.delivery.rate.requests"),
        (WEBHOOK + "delivery: {rate: {requests: 1, window_s: 1e-7}}\n", "E113",
         "$.delivery.rate.window_s"),
        (WEBHOOK + "delivery: {retry: {max_attempts: 99999999999999999999}}\n", "E113",
         "$.delivery.retry.max_attempts"),
        (WEBHOOK + "idempotency_key: Content-Length\n", "E113", "$.idempotency_key"),
        (WEBHOOK + "idempotency_key: host\n", "E113", "$.idempotency_key"),
        (WEBHOOK + "idempotency_key: Authorization\n", "E113", "$.idempotency_key"),
        (WEBHOOK + "auth: {type: api_key, header: Host, value: {env: X}}\n", "E113",
         "$.auth.header"),
        (WEBHOOK + "    table: account\n", "E115", SUB + "table"),
        (WEBHOOK + "    action: create\n", "E115", SUB + "action"),
        (WEBHOOK + "    filter: {txt: all}\n", "E110", SUB + "filter.txt"),
        (WEBHOOK + "    filter: {text: all, dialect: fql}\n", "E113", SUB + "filter.dialect"),
        (WEBHOOK + "    headers: {X-N: 2}\n", "E112", SUB + "headers.X-N"),
        (WEBHOOK + "    headers: {Authorization: B x}\n", "E120", SUB + "headers.Authorization"),
        (WEBHOOK.replace("https://example.com/in", "example.com"), "E113", SUB + "url"),
        (WEBHOOK.replace("//ex", "//u:p@ex"), "E120", SUB + "url"),
        (WEBHOOK.split("  - name")[0] + "  []\n", "E113", "$.subscriptions"),
        (WEBHOOK + AUTH + "plain\n", "E120", "$.auth.client_secret"),
        (WEBHOOK + AUTH + "{env: A, file: b}\n", "E120", "$.auth.client_secret"),
        (WEBHOOK + AUTH + "{keyring: b}\n", "E111", "$.auth.client_secret"),
        (WEBHOOK + AUTH + "{env: A}\n  grant: implicit\n", "E113", "$.auth.grant"),
        (DYNAMICS.replace("url: https://org2fd4b414.crm.dynamics.com\n", ""), "E111", "$.url"),
        (DYNAMICS.replace("com\nauth", "com/api/data/v9.2\nauth"), "E113", "$.url"),
        (DYNAMICS.replace("    table: account\n", ""), "E111", SUB + "table"),
        (DYNAMICS.replace("    table:", "    method: PUT\n    table:"), "E115", SUB + "method"),
        (DYNAMICS.replace("    action: create\n", ""), "E111", SUB + "action"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_code_and_path(text: str, code: str, path: str) -> None:
    found = only(text)
    assert (found.code, found.path) == (code, path)
    assert found.line is not None


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("name: a\n\ttype: b\n", "E101", 2),
        ("name: a\n  type: b\n", "E101", 2),
        ("name: [a\n", "E101", 1),
        ("name: a\n---\nname: b\n", "E101", 2),
        ("name: a\x07\n", "E101", 1),
        ("", "E104", 1),
        ("- a\n", "E104", 1),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, code: str, line: int) -> None:
    found = only(text)
    assert (found.code, found.line) == (code, line)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        (WEBHOOK + "name: Again\n", "E102", 6),
        (WEBHOOK + "settings: {a: !secret b}\n", "E103", 6),
        (WEBHOOK + "settings: {<<: {a: 1}}\n", "E103", 6),
        (WEBHOOK + "settings: {a: .nan}\n", "E103", 6),
        (WEBHOOK + "settings: &a {b: *a}\n", "E103", 6),
        (WEBHOOK + "settings: {[1]: 2}\n", "E103", 6),
    ],
)
def test_what_json_cannot_hold_is_refused(text: str, code: str, line: int) -> None:
    found = only(text)
    assert (found.code, found.line) == (code, line)


def test_scalars_follow_yaml_1_2() -> None:
    text = (
        "a: [NO, off, yes, 2020-01-01, 1_000, 0o17, 0x1F, 010, 1e3, ~, null, True, '1', 0b1, 1:30]"
    )
    assert YamlText(text).data["a"] == [
        "NO", "off", "yes", "2020-01-01", "1_000", 15, 31, 10, 1000.0, None, None, True, "1",
        "0b1", "1:30",
    ]  # fmt: skip


def test_aliases_are_copied_out() -> None:
    data = YamlText("a: &x {n: [1]}\nb: *x\n").data
    assert data["b"] == {"n": [1]}
    assert data["a"] is not data["b"]


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("http://localhost:80/a", True),
        ("http://127.0.0.9/a", True),
        ("http://[::1]:8/a", True),
        ("http://localhost.example.com/a", False),
        ("http://10.0.0.1/a", False),
        ("http://0.0.0.0/a", False),
    ],
)
def test_plain_http_only_reaches_this_machine(url: str, fine: bool) -> None:
    text = WEBHOOK.replace("https://example.com/in", url)
    if fine:
        parse(text)
    else:
        assert only(text).code == "E116"
    parse(text + "allow_http: true\n")


def test_places_are_found_and_ancestors_stand_in() -> None:
    config = parse(DYNAMICS, "d.yaml", ENV)
    assert config.locate("$.subscriptions[0].filter") == (18, 13)
    assert config.locate('$.subscriptions[0].body.name["@path"]') == (22, 23)
    assert config.locate("$.subscriptions[0].body.name.nothing[3]") == (22, 7)
    assert config.locate("$.nothing") == config.locate("$") == (2, 1)
    error = config.error([Mistake("E201", "x", "$.subscriptions[0].body.country", hint="h")])
    assert (error.line, error.column, error.file) == (23, 16, "d.yaml")


def test_paths_are_read_as_they_are_written() -> None:
    steps = ("a", 0, "@path", 'q"x\\', "d.t", "", "é")
    assert parse_path(path_text(steps)) == steps
    assert parse_path("$['a b'].@c") == ("a b", "@c")


def test_the_hash_is_of_the_data_not_of_the_layout() -> None:
    one = parse(WEBHOOK, "a.yaml", {}).document_hash
    assert parse("# new\n" + WEBHOOK.replace("Hook", "'Hook'"), "b.yaml", {}).document_hash == one
    assert parse(WEBHOOK.replace("Hook", "Hook2"), "a.yaml", {}).document_hash != one
    assert len(one) == 64


def test_a_pickle_holds_the_text_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    config = parse(DYNAMICS, "/x/d.yaml")
    pickled = pickle.dumps(config)
    assert b"marked" not in pickled
    assert "marked" not in repr(config)
    assert "marked" not in repr(config.settings)
    back = pickle.loads(pickled)
    assert back.model_dump() == config.model_dump()
    assert back.directory == Path("/x")


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: Grüße\n".encode("latin-1"))
    for name in ("none.yaml", "latin.yaml", "."):
        with pytest.raises(ConfigError) as caught:
            load(tmp_path / name)
        assert caught.value.code == "E104"


def test_a_certificate_file_must_hold_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing of the kind")
    found = only(WEBHOOK + "ca_file: ca.pem\n", name=str(tmp_path / "d.yaml"))
    assert (found.code, found.path) == ("E118", "$.ca_file")
    found = only(WEBHOOK, env={"FIELDPOST_CA_FILE": str(tmp_path / "ca.pem")})
    assert "FIELDPOST_CA_FILE" in found.message


def test_parsing_in_threads_does_not_mix() -> None:
    seen: dict[int, str] = {}

    def read(number: int) -> None:
        seen[number] = parse(WEBHOOK.replace("Hook", f"H{number}"), "d.yaml", {}).name

    threads = [threading.Thread(target=read, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: f"H{number}" for number in range(8)}


def test_any_body_survives() -> None:
    body = {"a": [1, 2.5, None, True, {"@if": {"exists": {"@path": "$.x"}}}], "@@type": "é"}
    config = parse(WEBHOOK + f"    body: {json.dumps(body)}\n")
    assert config.subscriptions[0].body == body


HEADERS = """\
name: a
id: a
type: webhook
url: http://127.0.0.1:9/in
subscriptions:
  - {name: a, headers: {X-Key: VALUE}, body: {v: 1}}
"""


def found(text, environ=None):
    with pytest.raises(ConfigError) as caught:
        parse(text, "a.yaml", environ or {})
    return [str(one) for one in caught.value.mistakes]


@pytest.mark.parametrize("value", ["k\x1b[2J", "k\x7f", "k\x0b", "k\x01"])
def test_a_header_that_no_request_can_carry_is_a_mistake_of_the_file(value):
    text = HEADERS.replace("VALUE", json.dumps(value))
    told = "E113 a character that no header can carry at $.subscriptions[0].headers.X-Key"
    assert found(text) == [f"{told}; look at how it was copied"]
    assert found(HEADERS.replace("VALUE", "{env: K}"), {"K": value}) == found(text)


def test_a_variable_that_is_not_utf8_is_told_without_its_value():
    [told] = found(HEADERS.replace("VALUE", "{env: K}"), {"K": "secret\udcff"})
    assert told.startswith("E123 the environment variable K is not UTF-8 at $.subscriptions[0]")


@pytest.mark.parametrize("part", ["v: 1", "name: a,", "X-Key"])
def test_half_of_a_character_in_the_file_is_told(part):
    half = {"v: 1": r'v: "\uD83D"', "name: a,": r'name: "\uD83D",', "X-Key": r'"\uD83D"'}[part]
    head, _, rest = HEADERS.replace("VALUE", "k").rpartition(part)
    assert any(one.startswith("E103 half of a character at ") for one in found(head + half + rest))


def test_both_halves_of_a_character_are_one():
    text = HEADERS.replace("VALUE", "k").replace("{v: 1}", r'{v: "\uD83D\uDE00"}')
    assert parse(text, "a.yaml", {}).subscriptions[0].body == {"v": "\U0001f600"}
