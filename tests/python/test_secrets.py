"""Secrets are read late and shown nowhere."""

import base64
import json
import pickle
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from fieldpost import auth
from fieldpost.config import SecretRef, parse
from fieldpost.errors import AuthError, ConfigError
from fieldpost.secrets import Secret, redact, resolve

MARK = "pl4nted+secret/ü\"'"


def webhook(scheme: str, name: str = "d.yaml") -> Any:
    return parse(
        f"name: H\ntype: webhook\nauth: {scheme}\n"
        "subscriptions: [{name: A, url: 'https://example.com'}]\n",
        name,
        {},
    )


def test_a_variable_is_read_anew_each_time() -> None:
    ref = SecretRef(env="TOKEN")
    assert resolve(ref, {"TOKEN": "one"}) == "one"
    assert resolve(ref, {"TOKEN": "two"}) == "two"


@pytest.mark.parametrize(
    ("content", "secret"), [("a b\n", "a b"), ("a\r\n", "a"), ("a", "a"), (" a ", " a ")]
)
def test_a_file_is_relative_to_the_destination(tmp_path: Path, content: str, secret: str) -> None:
    (tmp_path / "token").write_bytes(content.encode())
    config = webhook("{type: bearer, token: {file: token}}", str(tmp_path / "d.yaml"))
    assert resolve(config.auth.token) == secret


@pytest.mark.parametrize(
    ("content", "code"), [(None, "E122"), (b"\n", "E123"), (b"a\nb", "E123"), (b"\xff", "E122")]
)
def test_a_file_that_gives_no_secret_is_a_mistake(
    tmp_path: Path, content: bytes | None, code: str
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    config = webhook("{type: bearer, token: {file: token}}", str(tmp_path / "d.yaml"))
    with pytest.raises(ConfigError) as caught:
        resolve(config.auth.token)
    assert (caught.value.code, caught.value.path, caught.value.line) == (code, "$.auth.token", 3)
    assert caught.value.hint


def test_an_unset_variable_is_named_with_its_place() -> None:
    config = webhook("{type: bearer, token: {env: NOT_THERE}}")
    with pytest.raises(ConfigError) as caught:
        resolve(config.auth.token, {})
    assert str(caught.value).startswith("d.yaml:3:35: E121 the environment variable NOT_THERE")


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(MARK)
    assert repr(secret) == "***"
    assert repr([secret]) == "[***]"
    assert secret == MARK
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(secret, protocol)


def test_redaction_finds_encoded_forms_and_prefers_the_longest() -> None:
    coded = base64.b64encode(MARK.encode()).decode()
    for form in (MARK, quote_plus(MARK), json.dumps(MARK), coded):
        assert "pl4nted" not in redact(f"<{form}>", [MARK])
        assert coded.rstrip("=") not in redact(f"<{form}>", [MARK])
    assert redact("ab abc", ["ab", "abc", ""]) == "*** ***"
    assert redact("nothing", []) == "nothing"


SCHEMES = [
    "{type: bearer, token: {env: MARKED}}",
    "{type: basic, username: u, password: {env: MARKED}}",
    "{type: api_key, header: X-Key, value: {env: MARKED}}",
    "{type: oauth2, token_url: 'http://127.0.0.1:1/t', client_id: a, client_secret: {env: MARKED}}",
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_planted_secrets_are_in_no_repr_message_or_pickle(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARKED", "pl4nted")
    monkeypatch.setattr("fieldpost.auth.token_endpoint.WAITS_S", ())
    config = webhook(scheme)
    credentials = auth.open_credentials(config)
    texts = [repr(config), str(config), repr(credentials)]
    try:
        header = credentials.header()
        texts.append(repr(header))
        with pytest.raises(AuthError) as refused:
            credentials.refresh(header)
        error: Exception = refused.value
    except AuthError as caught:
        error = caught
    texts += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
    texts += [repr(vars(credentials)), str(pickle.dumps(credentials)), str(pickle.dumps(error))]
    assert "pl4nted" not in "\n".join(texts)
    assert error.__context__ is None


def test_static_headers() -> None:
    def header(scheme: str) -> tuple[str, str]:
        credentials = auth.open_credentials(webhook(scheme))
        return credentials.header_name, str(credentials.header())

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARKED", "a:ü")
        coded = base64.b64encode("u:a:ü".encode()).decode()
        assert header(SCHEMES[1]) == ("Authorization", f"Basic {coded}")
        with pytest.raises(ConfigError, match="E123"):
            header(SCHEMES[0])
        patch.setenv("MARKED", "abc")
        assert header(SCHEMES[0]) == ("Authorization", "Bearer abc")
        assert header(SCHEMES[2]) == ("X-Key", "abc")
        assert header("{type: none}") == ("Authorization", "")


def test_a_rotated_secret_is_taken_and_the_same_one_is_refused() -> None:
    credentials = auth.open_credentials(webhook(SCHEMES[0]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARKED", "old")
        rejected = credentials.header()
        with pytest.raises(AuthError, match="E605") as caught:
            credentials.refresh(rejected)
        assert not caught.value.unreachable
        patch.setenv("MARKED", "new")
        assert credentials.refresh(rejected) == "Bearer new"
        assert pickle.loads(pickle.dumps(credentials)).header() == "Bearer new"
    with pytest.raises(AuthError, match="E605"):
        auth.open_credentials(webhook("{type: none}")).refresh("")
