"""Sign-in against the emulator, over sockets. E ids are those of the emulator's own reference."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator  # noqa: F401
from fieldpost.emulator import Emulator


def denied(answer: httpx.Response, status: int, error: str, number: int) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body["error"], body["error_codes"]) == (error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert {"timestamp", "trace_id", "correlation_id"} <= body.keys()


def test_E1_the_right_secret_gets_a_token(api: Api) -> None:
    body = api.sign_in().json()
    assert body.pop("access_token")
    assert body == {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599}


def test_E1_the_secret_may_come_in_a_basic_header(api: Api) -> None:
    emulator = api.emulator
    pair = f"{quote_plus(emulator.client_id)}:{quote_plus(emulator.client_secret)}"
    form = api.form(client_id=None, client_secret=None)
    header = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    answer = api.http.post(emulator.token_url, data=form, headers=header)
    assert answer.status_code == 200
    wrong = {"Authorization": "Basic " + base64.b64encode(f"{pair}x".encode()).decode()}
    denied(
        api.http.post(emulator.token_url, data=form, headers=wrong), 401, "invalid_client", 7000215
    )


def test_E2_a_wrong_secret_is_401(api: Api) -> None:
    denied(api.sign_in(client_secret="wrong"), 401, "invalid_client", 7000215)


def test_E2_a_secret_that_was_not_encoded_is_a_wrong_one(api: Api) -> None:
    text = "&".join(f"{name}={value}" for name, value in api.form().items())
    header = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = api.http.post(api.emulator.token_url, content=text, headers=header)
    denied(answer, 401, "invalid_client", 7000215)


def test_E3_an_unknown_client_tenant_or_scope_is_400(api: Api) -> None:
    stranger = "00000000-0000-0000-0000-00000000dead"
    denied(api.sign_in(client_id=stranger), 400, "unauthorized_client", 700016)
    elsewhere = api.emulator.token_url.replace(api.emulator.tenant, stranger)
    denied(api.http.post(elsewhere, data=api.form()), 400, "invalid_request", 90002)
    foreign = "https://contoso.crm.dynamics.com/.default"
    denied(api.sign_in(scope=foreign), 400, "invalid_resource", 500011)


def test_E4_a_scope_without_default_is_400(api: Api) -> None:
    denied(api.sign_in(scope=api.emulator.url), 400, "invalid_scope", 1002012)


@pytest.mark.parametrize("field", ["grant_type", "client_id", "scope"])
def test_E5_a_missing_field_is_400(api: Api, field: str) -> None:
    denied(api.sign_in(**{field: None}), 400, "invalid_request", 900144)
    assert f"'{field}'" in api.sign_in(**{field: None}).json()["error_description"]


def test_E5_a_missing_secret_is_401(api: Api) -> None:
    denied(api.sign_in(client_secret=None), 401, "invalid_client", 7000218)


def test_E5_a_json_body_has_no_fields(api: Api) -> None:
    answer = api.http.post(api.emulator.token_url, json=api.form())
    denied(answer, 400, "invalid_request", 900144)


def test_E5_another_grant_type_is_400(api: Api) -> None:
    denied(api.sign_in(grant_type="password"), 400, "unsupported_grant_type", 70003)


def challenged(answer: httpx.Response, emulator: Emulator) -> None:
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == (
        f"Bearer authorization_uri={emulator.url}/{emulator.tenant}/oauth2/authorize, "
        f"resource_id={emulator.url}/"
    )


def test_E122_the_newer_endpoint_takes_no_resource(api: Api) -> None:
    denied(api.sign_in(resource=api.emulator.url), 400, "invalid_request", 901002)
    denied(api.sign_in(resource=api.emulator.url, scope=None), 400, "invalid_request", 901002)


def test_E123_the_older_endpoint_needs_a_resource_and_tells_numbers_as_texts(api: Api) -> None:
    older = api.emulator.token_url.replace("/v2.0", "")
    answer = api.http.post(older, data=api.form())
    denied(answer, 400, "invalid_request", 900144)
    assert "'resource'" in answer.json()["error_description"]
    form = api.form(scope=None, resource=api.emulator.url + "/")
    body = api.http.post(older, data=form).json()
    assert {name: body[name] for name in ("token_type", "expires_in", "ext_expires_in")} == {
        "token_type": "Bearer",
        "expires_in": "3599",
        "ext_expires_in": "3599",
    }
    assert int(body["expires_on"]) - int(body["not_before"]) == 3599
    foreign = api.form(scope=None, resource="https://contoso.crm.dynamics.com")
    denied(api.http.post(older, data=foreign), 400, "invalid_resource", 500011)


@pytest.mark.parametrize(
    ("tenant", "number"),
    [
        ("common", 50194),
        ("organizations", 50194),
        ("consumers", 50194),
        ("your-directory-id", 900023),
        ("contoso.onmicrosoft.com", 90002),
    ],
)
def test_E124_a_tenant_that_is_none_is_400(api: Api, tenant: str, number: int) -> None:
    url = api.emulator.token_url.replace(api.emulator.tenant, tenant)
    denied(api.http.post(url, data=api.form()), 400, "invalid_request", number)


def test_E10_a_call_without_a_token_is_401_with_the_challenge(api: Api) -> None:
    challenged(httpx.get(f"{api.base}/WhoAmI"), api.emulator)
    challenged(httpx.post(f"{api.base}/accounts", json={"name": "A"}), api.emulator)
    assert api.commits() == []


def test_E11_an_unknown_token_is_401(api: Api) -> None:
    challenged(api.get("WhoAmI", Authorization="Bearer unknown"), api.emulator)
    challenged(api.get("WhoAmI", Authorization=f"Basic {api.token}"), api.emulator)


def test_E11_a_revoked_token_is_401_and_a_new_one_works(api: Api) -> None:
    assert api.get("WhoAmI").status_code == 200
    api.control("POST", "tokens", {"revoke": True})
    challenged(api.get("WhoAmI"), api.emulator)
    api.token = api.sign_in().json()["access_token"]
    assert api.get("WhoAmI").status_code == 200


def test_E12_a_token_lives_as_long_as_the_control_says() -> None:
    now = 1_700_000_000.0

    def clock() -> float:
        return now

    with Emulator(clock=clock) as emulator, httpx.Client() as http:
        order = {"lifetime_s": 3}
        assert http.post(f"{emulator.control_url}/tokens", json=order).json() == order
        with Api(emulator) as api:
            assert api.sign_in().json()["expires_in"] == 3
            now += 2.9
            assert api.get("WhoAmI").status_code == 200
            now += 0.2
            challenged(api.get("WhoAmI"), emulator)


def test_tokens_that_were_issued_are_counted(api: Api) -> None:
    before: dict[str, Any] = api.control("GET", "requests")
    api.sign_in()
    api.sign_in(client_secret="wrong")
    after = api.control("GET", "requests")
    path = "POST /" + api.emulator.token_url.partition("//")[2].partition("/")[2]
    assert after["tokens_issued"] == before["tokens_issued"] + 1
    assert after["requests"][path] == before["requests"].get(path, 0) + 2
