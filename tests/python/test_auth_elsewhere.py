"""Credentials of azure-identity, and secrets that lie in an Airflow connection."""

import pickle
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import azure.identity
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from fieldpost import auth
from fieldpost.auth.azure import AzureCredentials
from fieldpost.config import AzureIdentityAuth, parse
from fieldpost.errors import AuthError, ConfigError
from fieldpost.secrets import resolve


class ScriptedCredential:
    """A credential of ours: gives what the test lays ready, and remembers it as MSAL does."""

    made: ClassVar[list[dict[str, Any]]] = []
    answers: ClassVar[list[Any]] = []

    def __init__(self, **arguments: Any) -> None:
        self.made.append(arguments)
        self._kept: AccessToken | None = None

    def get_token(self, *scopes: str, **_more: Any) -> AccessToken:
        assert scopes == ("https://org/.default",)
        if self._kept is None or self._kept.expires_on < time.time() + 300:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            self._kept = answer
        return self._kept


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure.identity, "ScriptedCredential", ScriptedCredential, raising=False)
    monkeypatch.setattr(azure.identity, "__all__", [*azure.identity.__all__, "ScriptedCredential"])
    ScriptedCredential.made, ScriptedCredential.answers = [], []


def webhook(scheme: str, name: str = "d.yaml") -> Any:
    subscription = "subscriptions: [{name: A, url: 'https://example.com'}]\n"
    return parse(f"name: H\ntype: webhook\nauth: {scheme}\n{subscription}", name)


def azure_auth(more: str = "") -> Any:
    scheme = "{type: azure_identity, scope: https://org/.default, credential: ScriptedCredential"
    return auth.open_credentials(webhook(f"{scheme}{more}}}"))


def token(number: int, lifetime_s: int = 3600) -> AccessToken:
    return AccessToken(f"pl4nted-{number}", int(time.time()) + lifetime_s)


def test_a_token_is_asked_for_once_and_anew_before_it_ends() -> None:
    ScriptedCredential.answers = [token(1, 320), token(2)]
    credentials = azure_auth()
    assert [credentials.header() for _ in range(3)] == ["Bearer pl4nted-1"] * 3
    credentials._ask_at = 0.0
    credentials._credential._kept = None
    assert credentials.header() == "Bearer pl4nted-2"


def test_a_refused_token_is_asked_for_anew_from_a_credential_that_remembers_none() -> None:
    ScriptedCredential.answers = [token(1), token(2), token(2)]
    credentials = azure_auth()
    rejected = credentials.header()
    assert credentials.refresh(rejected) == "Bearer pl4nted-2"
    assert credentials.refresh(rejected) == "Bearer pl4nted-2"
    assert len(ScriptedCredential.made) == 2
    with pytest.raises(AuthError, match="E605"):
        credentials.refresh("Bearer pl4nted-2")


def test_arguments_reach_the_class_and_secrets_among_them_are_references(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN_FILE", "pl4nted")
    ScriptedCredential.answers = [token(1)]
    arguments = ", arguments: {client_id: app, certificate_data: {env: TOKEN_FILE}, flag: true}"
    azure_auth(arguments).header()
    given = {"client_id": "app", "certificate_data": "pl4nted", "flag": True}
    assert ScriptedCredential.made == [given]
    with pytest.raises(ConfigError, match="E120"):
        azure_auth(", arguments: {client_secret: literal}")


@pytest.mark.parametrize(
    ("thrown", "unreachable", "told"),
    [
        (ClientAuthenticationError("AADSTS7000215: no pl4nted"), False, "AADSTS7000215.*secret"),
        (ServiceRequestError("pl4nted host"), True, "ServiceRequestError"),
        (azure.identity.CredentialUnavailableError("pl4nted"), False, "CredentialUnavailable"),
    ],
)
def test_what_the_library_raises_is_told_without_its_words(
    thrown: Exception, unreachable: bool, told: str
) -> None:
    ScriptedCredential.answers = [thrown]
    with pytest.raises(AuthError, match=told) as caught:
        azure_auth().header()
    error = caught.value
    assert (error.code, error.unreachable, error.__context__) == ("E625", unreachable, None)
    assert "pl4nted" not in str(error) + repr(error)


def test_a_class_of_the_library_itself_is_made_and_gives_no_token_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    scheme = "{type: azure_identity, scope: https://org/.default, credential: Environment"
    with pytest.raises(AuthError, match=r"E625.*CredentialUnavailableError"):
        auth.open_credentials(webhook(f"{scheme}Credential}}")).header()
    with pytest.raises(ConfigError, match='did you mean "EnvironmentCredential"'):
        webhook(f"{scheme}Credentials}}")
    with pytest.raises(AuthError, match=r"E625.*arguments"):
        scheme = scheme.replace("Environment", "Certificate")
        auth.open_credentials(webhook(f"{scheme}Credential}}")).header()


def test_a_pickle_is_configuration_only() -> None:
    ScriptedCredential.answers = [token(1), token(2)]
    credentials = azure_auth()
    credentials.header()
    pickled = pickle.dumps(credentials)
    assert b"pl4nted" not in pickled and "pl4nted" not in repr(credentials)
    assert pickle.loads(pickled).header() == "Bearer pl4nted-2"


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    scheme = AzureIdentityAuth(type="azure_identity", scope="s")
    with pytest.raises(AuthError, match=r"E625.*fieldpost\[azure\]"):
        AzureCredentials(scheme).header()


# -- a connection of Airflow; a stand-in for its two import paths


CONNECTION = SimpleNamespace(
    password="pl4nted-password",
    login="app",
    host="h",
    schema=None,
    port=443,
    extra_dejson={"client_secret": "pl4nted-extra"},
)


def airflow(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    class BaseHook:
        @staticmethod
        def get_connection(name: str) -> Any:
            if name != "crm":
                raise KeyError(f"{name} of pl4nted")
            return CONNECTION

    packages = home.split(".")
    for depth in range(len(packages)):
        name = ".".join(packages[: depth + 1])
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setattr(sys.modules[home], "BaseHook", BaseHook, raising=False)


@pytest.mark.parametrize("home", ["airflow.sdk", "airflow.hooks.base"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("", "pl4nted-password"),
        (", field: login", "app"),
        (", field: client_secret", "pl4nted-extra"),
        (", field: extra.client_secret", "pl4nted-extra"),
        (", field: port", "443"),
    ],
)
def test_a_field_of_a_connection_is_a_secret(
    monkeypatch: pytest.MonkeyPatch, home: str, field: str, value: str
) -> None:
    airflow(monkeypatch, home)
    config = webhook(f"{{type: bearer, token: {{airflow: crm{field}}}}}")
    assert resolve(config.auth.token) == value
    assert auth.open_credentials(config).header() == f"Bearer {value}"


@pytest.mark.parametrize(
    ("reference", "code"),
    [("{airflow: crm, field: nope}", "E123"), ("{airflow: other}", "E181")],
)
def test_a_connection_that_gives_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, reference: str, code: str
) -> None:
    airflow(monkeypatch, "airflow.sdk")
    with pytest.raises(ConfigError) as caught:
        resolve(webhook(f"{{type: bearer, token: {reference}}}").auth.token)
    assert (caught.value.code, caught.value.line) == (code, 3)
    assert "pl4nted" not in str(caught.value) and caught.value.__cause__ is None


def test_without_airflow_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "airflow", None)
    with pytest.raises(ConfigError, match=r"E182.*Airflow"):
        resolve(webhook("{type: bearer, token: {airflow: crm}}").auth.token)
