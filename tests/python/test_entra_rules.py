"""A sign-in that cannot work is told by `check`, with the right one."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from fieldpost.check import check_file

TENANT = "9f3c1f2e-0000-4000-8000-000000000001"
LOGIN = f"https://login.microsoftonline.com/{TENANT}"
ORG = "https://org.crm4.dynamics.com"
CLIENT = "11111111-2222-4333-8444-555555555555"
RIGHT = {
    "type": "oauth2",
    "token_url": f"{LOGIN}/oauth2/v2.0/token",
    "client_id": CLIENT,
    "client_secret": {"env": "CLIENT_SECRET"},
    "scope": f"{ORG}/.default",
}
PERSON = {
    **RIGHT,
    "grant": "authorization_code",
    "authorize_url": f"{LOGIN}/oauth2/v2.0/authorize",
    "scope": [f"{ORG}/user_impersonation", "offline_access"],
}
OLDER = {
    **{key: one for key, one in RIGHT.items() if key != "scope"},
    "token_url": f"{LOGIN}/oauth2/token",
    "token_params": {"resource": ORG},
}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "abc~def")


def found(tmp_path: Any, auth: dict[str, Any], url: str = ORG) -> Any:
    path = tmp_path / "d.yaml"
    one = {"name": "a", "action": "create", "table": "account", "body": {"name": "x"}}
    file = {"name": "n", "type": "dynamics365", "url": url, "auth": auth, "subscriptions": [one]}
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return check_file(path)


@pytest.mark.parametrize(
    ("auth", "url"),
    [
        (RIGHT, ORG),
        (RIGHT, "https://org.api.crm4.dynamics.com"),
        (RIGHT | {"scope": "https://ORG.crm4.dynamics.com/.default"}, ORG),
        (RIGHT | {"scope": "00000007-0000-0000-c000-000000000000/.default"}, ORG),
        (PERSON, ORG),
        (PERSON | {"token_url": PERSON["token_url"].replace(TENANT, "common")}, ORG),
        (OLDER, ORG),
        (OLDER | {"token_params": {"resource": ORG + "/"}}, ORG),
        (RIGHT | {"token_url": RIGHT["token_url"].replace(TENANT, "contoso.com")}, ORG),
        (RIGHT | {"token_url": "https://sts.example.com/adfs/oauth2/token"}, ORG),
        (
            RIGHT | {"scope": "https://org.crm9.dynamics.com/.default"},
            "https://org.crm9.dynamics.com",
        ),
        (
            RIGHT
            | {
                "token_url": f"https://login.microsoftonline.us/{TENANT}/oauth2/v2.0/token",
                "scope": "https://org.crm.microsoftdynamics.us/.default",
            },
            "https://org.crm.microsoftdynamics.us",
        ),
        (
            RIGHT
            | {
                "token_url": f"https://login.chinacloudapi.cn/{TENANT}/oauth2/v2.0/token",
                "scope": "https://org.crm.dynamics.cn/.default",
            },
            "https://org.crm.dynamics.cn",
        ),
    ],
)
def test_a_right_sign_in_is_taken(tmp_path: Any, auth: dict[str, Any], url: str) -> None:
    result = found(tmp_path, auth, url)
    assert (result.errors, result.warnings) == ([], [])


@pytest.mark.parametrize(
    ("changed", "code", "path", "hint"),
    [
        ({"token_url": f"{LOGIN}/oauth2/v2.0/authorize"}, "E187", "token_url", "/v2.0/token"),
        ({"token_url": f"{LOGIN}//oauth2/v2.0/token"}, "E187", "token_url", "/v2.0/token"),
        ({"token_url": f"{LOGIN}/oauth2/v2.0/token/"}, "E187", "token_url", "/v2.0/token"),
        ({"token_url": f"{LOGIN}/v2.0"}, "E187", "token_url", f"{TENANT}/oauth2/v2.0/token"),
        ({"token_url": LOGIN}, "E187", "token_url", f"{TENANT}/oauth2/v2.0/token"),
        (
            {"token_url": f"{LOGIN}/v2.0/.well-known/openid-configuration"},
            "E187",
            "token_url",
            "/oauth2/v2.0/token",
        ),
        (
            {"token_url": RIGHT["token_url"].replace(TENANT, "common")},
            "E188",
            "token_url",
            "directory (tenant) id",
        ),
        (
            {"token_url": RIGHT["token_url"].replace(TENANT, "Organizations")},
            "E188",
            "token_url",
            "directory (tenant) id",
        ),
        (
            {"token_url": RIGHT["token_url"].replace(TENANT, "org.crm4.dynamics.com")},
            "E188",
            "token_url",
            "onmicrosoft",
        ),
        (
            {"token_url": RIGHT["token_url"].replace(TENANT, "contoso")},
            "E188",
            "token_url",
            "directory (tenant) id",
        ),
        (
            {"token_url": RIGHT["token_url"].replace(".com/", ".us/")},
            "E189",
            "token_url",
            "login.microsoftonline.com",
        ),
        ({"scope": "https://org.crm.dynamics.com/.default"}, "E190", "scope", ORG + "/.default"),
        ({"scope": "https://graph.microsoft.com/.default"}, "E190", "scope", ORG + "/.default"),
        ({"scope": "org.crm4.dynamics.com/.default"}, "E190", "scope", ORG + "/.default"),
        ({"scope": "http://org.crm4.dynamics.com/.default"}, "E190", "scope", ORG + "/.default"),
        ({"scope": f"{ORG}/user_impersonation"}, "E190", "scope", ORG + "/.default"),
        ({"scope": ORG}, "E190", "scope", ORG + "/.default"),
        ({"scope": f"{ORG}/api/data/.default"}, "E190", "scope", ORG + "/.default"),
        ({"scope": [f"{ORG}/.default", "offline_access"]}, "E190", "scope", ORG + "/.default"),
        ({"token_url": f"{LOGIN}/oauth2/token"}, "E191", "scope", "/oauth2/v2.0/token"),
        ({"client_id": "my loader"}, "E192", "client_id", "application (client) id"),
        ({"client_id": TENANT}, "E192", "client_id", "application (client) id"),
    ],
)
def test_a_wrong_sign_in_is_told(
    tmp_path: Any, changed: dict[str, Any], code: str, path: str, hint: str
) -> None:
    mistakes = found(tmp_path, RIGHT | changed).errors
    assert [(one.code, one.path) for one in mistakes] == [(code, f"$.auth.{path}")]
    assert hint in mistakes[0].hint
    assert mistakes[0].line is not None


def test_resource_and_scope_are_told_apart(tmp_path: Any) -> None:
    resource = {"token_params": {"resource": ORG}}
    bare = {key: one for key, one in RIGHT.items() if key != "scope"}
    for auth, path in (
        (bare | resource, "$.auth.token_params.resource"),
        (bare, "$.auth.scope"),
        (OLDER | {"token_params": {}}, "$.auth.token_url"),
    ):
        mistakes = found(tmp_path, auth).errors
        assert [(one.code, one.path) for one in mistakes] == [("E191", path)]
    other = found(tmp_path, OLDER | {"token_params": {"resource": "https://x.crm.dynamics.com"}})
    assert [(one.code, one.path) for one in other.errors] == [
        ("E190", "$.auth.token_params.resource")
    ]


def test_another_national_cloud_is_told_with_its_own_sign_in(tmp_path: Any) -> None:
    for url, host in (
        ("https://org.crm.microsoftdynamics.us", "login.microsoftonline.us"),
        ("https://org.crm.appsplatform.us", "login.microsoftonline.us"),
        ("https://org.crm.dynamics.cn", "login.partner.microsoftonline.cn"),
    ):
        mistakes = found(tmp_path, RIGHT | {"scope": f"{url}/.default"}, url).errors
        assert [one.code for one in mistakes] == ["E189"]
        assert host in mistakes[0].hint


def test_all_mistakes_are_told_at_once(tmp_path: Any) -> None:
    auth = RIGHT | {
        "token_url": "https://login.microsoftonline.us/common/oauth2/v2.0/authorize",
        "client_id": "app",
        "scope": f"{ORG}/.default",
    }
    assert [one.code for one in found(tmp_path, auth).errors] == ["E187", "E188", "E189", "E192"]


def test_stand_ins_and_two_slashes_are_warnings(tmp_path: Any) -> None:
    auth = RIGHT | {
        "token_url": RIGHT["token_url"].replace(TENANT, "your-directory-id"),
        "scope": f"{ORG}//.default",
    }
    result = found(tmp_path, auth)
    assert result.errors == []
    assert [one.code for one in result.warnings] == ["E188", "E190"]
    assert f"write scope: {ORG}/.default" in result.warnings[1].hint


def test_an_address_by_reference_is_judged_and_not_shown(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN_URL", f"{LOGIN}/oauth2/v2.0/authorize")
    mistakes = found(tmp_path, RIGHT | {"token_url": {"env": "TOKEN_URL"}}).errors
    assert [one.code for one in mistakes] == ["E187"]
    assert TENANT not in str(mistakes[0])


@pytest.mark.parametrize("key", ["token_url", "client_id", "scope"])
def test_a_variable_that_is_not_set_is_a_warning_alone(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.delenv("UNSET", raising=False)
    result = found(tmp_path, RIGHT | {key: {"env": "UNSET"}})
    assert (result.errors, [one.code for one in result.warnings]) == ([], ["E121"])


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        ("\ufeffabc~def", "byte order mark"),
        (" abc~def", "blank"),
        ("abc~def ", "blank"),
        ("'abc~def'", "quotes"),
        ('"abc~def"', "quotes"),
        ("\u201cabc~def\u201d", "quotes"),
        ("abc\u200bdef", "invisible"),
        ("6db54df8-42f4-4f96-8518-990fe23945c6", "secret's id"),
        ("CLIENT_SECRET=abc", "name of a variable"),
    ],
)
def test_marks_of_copying_a_secret_are_warnings_that_do_not_show_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, secret: str, told: str
) -> None:
    monkeypatch.setenv("CLIENT_SECRET", secret)
    result = found(tmp_path, RIGHT)
    assert result.errors == []
    assert [one.code for one in result.warnings] == ["E193"]
    assert told in result.warnings[0].message
    assert secret.strip("\ufeff '\"") not in str(result.warnings[0]).replace("CLIENT_SECRET", "")


def test_a_file_may_begin_with_a_byte_order_mark_but_not_end_with_a_blank_line(
    tmp_path: Any,
) -> None:
    auth = RIGHT | {"client_secret": {"file": "secret.txt"}}
    (tmp_path / "secret.txt").write_bytes(b"\xef\xbb\xbfabc~def\r\n")
    assert found(tmp_path, auth).warnings == []
    (tmp_path / "secret.txt").write_bytes(b"abc~def\n\n")
    assert ["line end" in one.message for one in found(tmp_path, auth).warnings] == [True]
