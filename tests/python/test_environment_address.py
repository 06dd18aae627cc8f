"""One spelling of an environment, and addresses that are none of an environment."""

from __future__ import annotations

import pytest

from fieldpost.check import check_file
from fieldpost.environment_address import (
    cloud_of,
    former_spellings,
    is_same,
    other_than_environment,
    spelling,
)

ORG = "https://org.crm4.dynamics.com"
FILE = """\
name: Companies
type: dynamics365
url: {url}
auth: {{type: none}}
subscriptions:
  - {{name: a, action: upsert, table: account, key: {{"@path": "$.id"}}, body: {{name: x}}}}
"""


@pytest.mark.parametrize(
    "written",
    [
        ORG,
        ORG + "/",
        "https://org.api.crm4.dynamics.com",
        "https://ORG.crm4.Dynamics.com",
        "HTTPS://org.crm4.dynamics.com",
        ORG + ":443",
        ORG + ".",
        ORG + "./",
        ORG + "/main.aspx?appid=1",
        ORG + "/api/data/v9.2",
        ORG + "#top",
        "https://Org.API.crm4.dynamics.com.:443/",
    ],
)
def test_every_form_of_an_address_has_one_spelling(written: str) -> None:
    assert spelling(written) == ORG
    assert is_same(ORG, written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("http://localhost:8080", "http://127.0.0.1:8080"),
        ("http://LOCALHOST.:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80", "http://127.0.0.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://api.crm.example.com", "https://api.crm.example.com"),
        ("https://org.crm4.dynamics.com:8443", "https://org.crm4.dynamics.com:8443"),
        ("https://org.api.crm.dynamics.cn", "https://org.crm.dynamics.cn"),
        ("https://org.api.crm.microsoftdynamics.us", "https://org.crm.microsoftdynamics.us"),
    ],
)
def test_other_addresses_have_one_spelling_too(written: str, meant: str) -> None:
    assert spelling(written) == meant


def test_regions_schemes_and_ports_are_not_the_same() -> None:
    others = ["https://org.crm.dynamics.com", "http://org.crm4.dynamics.com", ORG + ":8443"]
    assert [one for one in others if is_same(ORG, one)] == []


def test_a_cloud_is_told_by_the_whole_host() -> None:
    assert cloud_of("org.crm9.dynamics.com") == cloud_of("ORG.api.crm.dynamics.com.")
    for host in ("org.crm4.dynamics.com.evil.test", "crm4.dynamics.com", "x.y.crm.dynamics.com"):
        assert cloud_of(host) is None


def test_former_spellings_are_the_files_own_and_those_that_are_remembered() -> None:
    own = "https://Org.api.crm4.dynamics.com:443/"
    known = [ORG + "/main.aspx", "https://other.crm4.dynamics.com", '{"@path": "$.url"}', "", ORG]
    assert former_spellings(own, known) == [
        "https://org.api.crm4.dynamics.com:443",
        ORG + "/main.aspx",
    ]
    assert former_spellings(ORG, []) == []


@pytest.mark.parametrize(
    ("host", "word"),
    [
        ("make.powerapps.com/environments/1/home", "maker"),
        ("make.gov.powerapps.us", "maker"),
        ("admin.powerplatform.microsoft.com/environments", "admin"),
        ("globaldisco.crm.dynamics.com", "discovery"),
        ("globaldisco.crm9.dynamics.com/api/discovery/v2.0/Instances", "discovery"),
        ("disco.crm4.dynamics.com", "discovery"),
        ("home.dynamics.com", "portal"),
        ("crm4.dynamics.com", "region"),
        ("contoso.operations.dynamics.com", "Finance"),
        ("apps.powerapps.com/play/1", "apps"),
        ("contoso.powerappsportals.com", "Power Pages"),
    ],
)
def test_addresses_of_other_services_are_refused_by_name(tmp_path, host: str, word: str) -> None:
    found = _check(tmp_path, f"https://{host}")
    assert [one.code for one in found] == ["E124"]
    assert word in found[0].message and "Environment URL" in found[0].hint


@pytest.mark.parametrize(
    "more", ["/main.aspx?appid=1", "/api/data/v9.2", "/?a=b", "/#x", "/org/", "//"]
)
def test_an_address_that_says_more_is_refused_with_the_right_one(tmp_path, more: str) -> None:
    found = _check(tmp_path, f"'https://Org.crm4.dynamics.com{more}'")
    told = [(one.code, one.hint) for one in found]
    assert told == ([] if more == "//" else [("E113", f"write {ORG}")])


def test_an_address_by_reference_is_not_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ORG_URL", ORG + "/main.aspx")
    found = _check(tmp_path, "{env: ORG_URL}")
    assert found[0].code == "E113"
    assert "org.crm4" not in str(found[0])


@pytest.mark.parametrize("written", [ORG, "https://crm.example.com", "http://127.0.0.1:8080/"])
def test_an_environment_is_taken(tmp_path, written: str) -> None:
    assert other_than_environment(written) == ""
    assert _check(tmp_path, written) == []


def _check(folder, url: str):
    path = folder / "d.yaml"
    path.write_text(FILE.format(url=url))
    return check_file(path).errors
