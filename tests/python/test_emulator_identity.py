"""Certificates, codes, refreshing, rights, impersonation. E ids are those of the emulator."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from emulator_client import Api, fixture_api, fixture_emulator, refused, row_id  # noqa: F401

KIND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "v" * 43
REDIRECT = "http://localhost:8400/callback"


@pytest.fixture(scope="module", name="key")
def fixture_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(key: rsa.RSAPrivateKey, days: int = 1) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


def thumbprint(pem: str, kind: hashes.HashAlgorithm) -> str:
    digest = x509.load_pem_x509_certificate(pem.encode()).fingerprint(kind)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def assertion(
    api: Api,
    key: rsa.RSAPrivateKey,
    algorithm: str = "PS256",
    head: dict[str, str] | None = None,
    **claims: Any,
) -> str:
    if head is None:
        head = {"x5t#S256": thumbprint(certificate(key), hashes.SHA256())}
    now = datetime.now(UTC).timestamp()
    client = api.emulator.client_id
    standing = {"aud": api.emulator.token_url, "iss": client, "sub": client}
    payload = standing | {"jti": str(uuid.uuid4()), "nbf": now, "exp": now + 300} | claims
    parts = [
        json.dumps(part).encode() for part in ({"alg": algorithm, "typ": "JWT"} | head, payload)
    ]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    scheme = pss if algorithm == "PS256" else padding.PKCS1v15()
    signature = key.sign(signed, scheme, hashes.SHA256())
    return (signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def signed_in(api: Api, text: str) -> httpx.Response:
    return api.sign_in(client_secret=None, client_assertion=text, client_assertion_type=KIND)


@pytest.mark.parametrize("algorithm", ["PS256", "RS256"])
def test_E6_a_certificate_signs_in(api: Api, key: rsa.RSAPrivateKey, algorithm: str) -> None:
    api.control("POST", "applications", {"certificate": certificate(key)})
    answer = signed_in(api, assertion(api, key, algorithm))
    assert answer.status_code == 200
    token = answer.json()["access_token"]
    assert api.get("WhoAmI", Authorization=f"Bearer {token}").status_code == 200


@pytest.mark.parametrize(
    ("claims", "number"),
    [({"exp": 1}, 700024), ({"aud": "x"}, 700023), ({"iss": "x"}, 700021)],
)
def test_E6_an_assertion_that_is_wrong_is_401(
    api: Api, key: rsa.RSAPrivateKey, claims: Any, number: int
) -> None:
    api.control("POST", "applications", {"certificate": certificate(key)})
    answer = signed_in(api, assertion(api, key, **claims))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [number])
    assert answer.json()["error"] == "invalid_client"


def test_E6_a_signature_of_another_key_is_401(api: Api, key: rsa.RSAPrivateKey) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    api.control("POST", "applications", {"certificate": certificate(other)})
    answer = signed_in(api, assertion(api, key))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [700027])


def test_E125_an_assertion_names_the_registered_certificate(
    api: Api, key: rsa.RSAPrivateKey
) -> None:
    pem = certificate(key)
    api.control("POST", "applications", {"certificate": pem})
    right = {"x5t#S256": thumbprint(pem, hashes.SHA256())}
    older = {"x5t": thumbprint(pem, hashes.SHA1())}
    for head in (right, older, right | older):
        assert signed_in(api, assertion(api, key, head=head)).status_code == 200
    for head in ({}, {"x5t#S256": older["x5t"]}, {"x5t": "00"}, right | {"x5t": "00"}):
        answer = signed_in(api, assertion(api, key, head=head))
        assert (answer.status_code, answer.json()["error_codes"]) == (401, [700027])
        assert "key was not found" in answer.json()["error_description"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = signed_in(api, assertion(api, other, head=right))
    assert answer.json()["error_codes"] == [700027]
    assert "signature" in answer.json()["error_description"]


def test_E126_an_assertion_is_meant_for_the_endpoint_that_is_asked(
    api: Api, key: rsa.RSAPrivateKey
) -> None:
    api.control("POST", "applications", {"certificate": certificate(key)})
    older = api.emulator.token_url.replace("/v2.0", "")
    for url, audience, status in ((older, older, 200), (older, api.emulator.token_url, 401)):
        form = api.form(
            client_secret=None,
            scope=None,
            resource=api.emulator.url,
            client_assertion=assertion(api, key, aud=audience),
            client_assertion_type=KIND,
        )
        assert api.http.post(url, data=form).status_code == status
    answer = signed_in(api, assertion(api, key, aud=older))
    assert answer.json()["error_codes"] == [700023]


def test_E127_a_certificate_out_of_its_time_is_401(api: Api, key: rsa.RSAPrivateKey) -> None:
    pem = certificate(key, days=-1)
    api.control("POST", "applications", {"certificate": pem})
    head = {"x5t#S256": thumbprint(pem, hashes.SHA256())}
    answer = signed_in(api, assertion(api, key, head=head))
    assert (answer.status_code, answer.json()["error_codes"]) == (401, [1000502])


def code_of(api: Api, **changes: str) -> str:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    asked = {
        "client_id": api.emulator.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"{api.emulator.url}/user_impersonation offline_access openid",
        "state": "s",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    } | changes
    address = api.emulator.token_url.replace("/token", "/authorize")
    answer = api.http.get(address, params=asked)
    assert answer.status_code == 302, answer.text
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert found["state"] == ["s"]
    return found["code"][0]


def redeem(api: Api, code: str, verifier: str = VERIFIER) -> httpx.Response:
    return api.sign_in(
        grant_type="authorization_code",
        code=code,
        redirect_uri=REDIRECT,
        code_verifier=verifier,
        scope=None,
        client_secret=None,
    )


def test_E7_a_code_is_redeemed_once_by_its_verifier(api: Api) -> None:
    code = code_of(api)
    wrong = redeem(api, code, "x" * 43)
    assert (wrong.status_code, wrong.json()["error_codes"]) == (400, [50148])
    first = redeem(api, code)
    assert first.status_code == 200
    assert {"access_token", "refresh_token", "id_token", "scope"} <= first.json().keys()
    token = first.json()["access_token"]
    assert api.get("WhoAmI", Authorization=f"Bearer {token}").status_code == 200
    again = redeem(api, code)
    assert (again.json()["error"], again.json()["error_codes"]) == ("invalid_grant", [54005])


def test_E7_a_redirect_that_is_not_registered_gets_no_code(api: Api) -> None:
    api.control("POST", "applications", {"redirect_uris": ["http://localhost:1/x"]})
    asked = {"client_id": api.emulator.client_id, "redirect_uri": REDIRECT}
    answer = api.http.get(api.emulator.token_url.replace("/token", "/authorize"), params=asked)
    assert answer.status_code == 400
    assert "AADSTS50011" in answer.text


def test_E8_a_refresh_token_gets_another(api: Api) -> None:
    first = redeem(api, code_of(api)).json()["refresh_token"]
    form = {"grant_type": "refresh_token", "scope": None, "client_secret": None}
    answer = api.sign_in(**form, refresh_token=first)
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != first
    unknown = api.sign_in(**form, refresh_token="x")
    assert (unknown.status_code, unknown.json()["error_codes"]) == (400, [70000])


def test_libraries_find_the_endpoints(api: Api) -> None:
    root = f"{api.emulator.url}/{api.emulator.tenant}"
    found = api.http.get(f"{root}/v2.0/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == api.emulator.token_url
    old = api.form(scope=None, resource=api.emulator.url)
    assert api.http.post(f"{root}/oauth2/token", data=old).status_code == 200


def token_of(api: Api, **order: Any) -> str:
    """The token of an application of its own."""
    client = {"client_id": str(uuid.uuid4()), "client_secret": "s"}
    api.control("POST", "applications", {**client, **order})
    return "Bearer " + str(api.sign_in(**client).json()["access_token"])


def test_E13_an_application_without_a_user_is_403(api: Api) -> None:
    bearer = token_of(api, member=False)
    words = "The user is not a member of the organization."
    refused(api.get("WhoAmI", Authorization=bearer), 403, "0x80072560", words)


@pytest.mark.parametrize(
    ("order", "code"), [({"disabled": True}, "0x80040225"), ({"roles": 0}, "0x80042f09")]
)
def test_E13_a_user_that_cannot_do_anything_is_403(api: Api, order: Any, code: str) -> None:
    refused(api.get("WhoAmI", Authorization=token_of(api, **order)), 403, code)


def test_E14_a_missing_privilege_is_named(api: Api) -> None:
    bearer = token_of(api, deny=["prvCreateLead", "prvReadContact"])
    words = ("is missing prvCreateLead privilege", "on OTC=4 for entity 'lead'", "roleCount=1")
    refused(api.post("leads", {}, Authorization=bearer), 403, "0x80040220", *words)
    assert api.post("accounts", {}, Authorization=bearer).status_code == 204
    refused(api.get("contacts", Authorization=bearer), 403, "0x80040220", "prvReadContact")
    nested = {"accountleads_association": [{"subject": "L"}]}
    refused(api.post("accounts", nested, Authorization=bearer), 403, "0x80040220")
    assert len(api.commits()) == 1


def test_E14_the_privileges_of_a_user_can_be_read(api: Api) -> None:
    bearer = token_of(api, deny=["prvCreateLead"])
    user = api.get("WhoAmI", Authorization=bearer).json()["UserId"]
    path = f"systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
    granted = api.get(path, Authorization=bearer).json()["RolePrivileges"]
    names = {privilege["PrivilegeName"] for privilege in granted}
    assert "prvCreateAccount" in names
    assert "prvCreateLead" not in names


@pytest.mark.parametrize("header", ["CallerObjectId", "MSCRMCallerID"])
def test_a_user_acts_for_another(api: Api, header: str) -> None:
    bearer = token_of(api)
    user = api.get("WhoAmI", Authorization=bearer).json()["UserId"]
    column = "azureactivedirectoryobjectid" if header == "CallerObjectId" else "systemuserid"
    wanted = api.row(f"systemusers({user})")[column]
    answer = api.post("accounts", {"accountid": row_id(1)}, **{header: wanted})
    assert answer.status_code == 204
    account = api.row(f"accounts({row_id(1)})")
    assert account["_createdby_value"] == account["_ownerid_value"] == user
    assert account["_createdonbehalfby_value"] == api.row("WhoAmI")["UserId"]
    refused(api.post("accounts", {}, **{header: row_id(7)}), 403, "0x8004a110")
    api.control("POST", "applications", {"deny": ["prvActOnBehalfOfAnotherUser"]})
    refused(api.post("accounts", {}, **{header: wanted}), 403, "0x8004a110")


def test_owners_are_users_or_teams(api: Api) -> None:
    team = api.created("teams", {"name": "T"})
    account = api.created("accounts", {"ownerid@odata.bind": f"/teams({team})"})
    row = api.row(f"accounts({account})?$expand=ownerid")
    assert (row["_ownerid_value"], row["_owningteam_value"]) == (team, team)
    assert row["_owninguser_value"] is None
    assert row["ownerid"]["ownerid"] == team
    user = api.row("WhoAmI")["UserId"]
    path = f"teams({team})/Microsoft.Dynamics.CRM.AddMembersTeam"
    assert api.post(path, {"Members": [{"systemuserid": user}]}).status_code == 204
    members = api.row(f"teams({team})?$expand=teammembership_association($select=fullname)")
    assert len(members["teammembership_association"]) == 1


def test_lookups_need_privileges_at_both_ends(api: Api) -> None:
    contact = api.created("contacts", {"lastname": "C"})
    bind = {"primarycontactid@odata.bind": f"/contacts({contact})"}
    nested = {"primarycontactid": {"lastname": "N"}}
    child = {"contact_customer_accounts": [{"lastname": "N"}]}
    for denied, body in (
        ("prvAppendAccount", bind),
        ("prvAppendToContact", nested),
        ("prvAppendContact", child),
        ("prvAppendToAccount", child),
    ):
        bearer = token_of(api, deny=[denied])
        refused(api.post("accounts", body, Authorization=bearer), 403, "0x80040220", denied)
        assert api.post("accounts", {}, Authorization=bearer).status_code == 204


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ("tasks", "prvCreateActivity"),
        ("emails", "prvCreateActivity"),
        ("annotations", "prvCreateNote"),
        ("new_tickets", "prvCreatenew_Ticket"),
    ],
)
def test_privileges_have_the_names_of_the_service(api: Api, table: str, name: str) -> None:
    bearer = token_of(api, deny=[name])
    refused(api.post(table, {}, Authorization=bearer), 403, "0x80040220", f"missing {name} ")
    path = f"EntityDefinitions?$select=Privileges&$filter=EntitySetName eq '{table}'"
    [definition] = api.row(path)["value"]
    privileges = {one["PrivilegeType"]: one for one in definition["Privileges"]}
    assert privileges["Create"]["Name"] == name
    user = api.get("WhoAmI", Authorization=bearer).json()["UserId"]
    path = f"systemusers({user})/Microsoft.Dynamics.CRM.RetrieveUserPrivileges()"
    held = {
        one["PrivilegeId"] for one in api.get(path, Authorization=bearer).json()["RolePrivileges"]
    }
    assert privileges["Create"]["PrivilegeId"] not in held
    assert privileges["Read"]["PrivilegeId"] in held


def test_rows_are_shared_and_addresses_written(api: Api) -> None:
    account = api.created("accounts", {"name": "A"})
    target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": account}
    for action in ("GrantAccess", "ModifyAccess", "RevokeAccess"):
        assert api.post(action, {"Target": target}).status_code == 204
    gone = target | {"accountid": row_id(9)}
    refused(api.post("GrantAccess", {"Target": gone}), 404, "0x80040217")
    told = api.row(
        "FormatAddress(Line1=@a,City=@b,StateOrProvince=@c,PostalCode=@d,Country=@e)"
        "?@a='1 Main St'&@b='Redmond'&@c='WA'&@d='98052'&@e='USA'"
    )
    assert told["Address"] == "1 Main St\r\nRedmond, WA 98052\r\nUSA"
    assert api.row("RetrieveAvailableLanguages")["LocaleIds"] == [1033]
