"""Clients that others wrote, unchanged, against the emulator over TLS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator_client import Api
from fieldpost.emulator import Emulator

# What these libraries warn of is theirs.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module", name="secured")
def fixture_secured() -> Iterator[Emulator]:
    """An emulator whose authority every client built on requests trusts."""
    with Emulator(tls=True) as emulator, pytest.MonkeyPatch.context() as patch:
        assert emulator.ca_file
        patch.setenv("REQUESTS_CA_BUNDLE", emulator.ca_file)
        yield emulator


@pytest.fixture(name="microsoft")
def fixture_microsoft(secured: Emulator) -> Iterator[Any]:
    """Microsoft's own client, signed in by Microsoft's own library."""
    client = pytest.importorskip("PowerPlatform.Dataverse.client")
    identity = pytest.importorskip("azure.identity")
    with Api(secured) as api:
        api.control("POST", "reset")
    with (
        identity.ClientSecretCredential(
            secured.tenant,
            secured.client_id,
            secured.client_secret,
            authority=secured.url,
            disable_instance_discovery=True,
        ) as credential,
        client.DataverseClient(secured.url, credential) as dataverse,
    ):
        yield dataverse


def test_microsofts_client_writes_and_reads(microsoft: Any) -> None:
    records = microsoft.records
    account = records.create("account", {"name": "Contoso", "industrycode": "Accounting"})
    contacts = records.create("contact", [{"lastname": f"L{n}"} for n in range(5)])
    assert len(contacts) == 5
    bind = {"primarycontactid@odata.bind": f"/contacts({contacts[0]})"}
    records.update("account", account, bind)
    records.update("contact", contacts[:2], {"jobtitle": "Buyer"})
    row = records.retrieve("account", account, select=["name", "industrycode"])
    assert (row["name"], row["industrycode"]) == ("Contoso", 1)
    found = records.list(
        "contact", select=["lastname"], filter="lastname ne 'L3'", orderby=["lastname desc"], top=3
    )
    assert [row["lastname"] for row in found] == ["L4", "L2", "L1"]
    pages = records.list_pages("contact", select=["lastname"], page_size=2)
    assert [len(list(page)) for page in pages] == [2, 2, 1]
    [expanded] = records.list("account", select=["name"], expand=["primarycontactid"])
    assert expanded["primarycontactid"]["lastname"] == "L0"
    records.delete("account", account)
    records.delete("contact", contacts[:3])
    records.delete("contact", contacts[3:], use_bulk_delete=False)
    assert list(records.list("contact", select=["lastname"])) == []


def test_microsofts_client_upserts(microsoft: Any) -> None:
    from PowerPlatform.Dataverse.models import UpsertItem

    for number in (1, 2):
        for keys in ("A", "ABC"):
            items = [
                UpsertItem(alternate_key={"new_key": k}, record={"new_n": number}) for k in keys
            ]
            microsoft.records.upsert("new_ticket", items)
    rows = microsoft.records.list("new_ticket", select=["new_key", "new_n"], orderby=["new_key"])
    assert [(row["new_key"], row["new_n"]) for row in rows] == [("A", 2), ("B", 2), ("C", 2)]


def test_microsofts_client_sends_batches(microsoft: Any) -> None:
    kept = microsoft.records.create("account", {"name": "Kept"})
    batch = microsoft.batch.new()
    batch.records.create("account", {"name": "First"})
    with batch.changeset() as changes:
        reference = changes.records.create("account", {"name": "Second"})
        changes.records.update("account", reference, {"telephone1": "1"})
    batch.records.retrieve("account", kept, select=["name"])
    batch.records.delete("account", kept)
    assert [one.status_code for one in batch.execute().responses] == [204, 204, 204, 200, 204]
    rows = microsoft.records.list("account", select=["name", "telephone1"], orderby=["name"])
    assert [(row["name"], row["telephone1"]) for row in rows] == [("First", None), ("Second", "1")]


def test_microsofts_client_reads_definitions(microsoft: Any) -> None:
    assert microsoft.tables.get("account").entity_set_name == "accounts"
    keys = microsoft.tables.get_alternate_keys("new_ticket")
    assert ["new_key"] in [key.key_attributes for key in keys]


def test_an_odata_library_reflects_the_metadata(secured: Emulator) -> None:
    odata = pytest.importorskip("odata")
    with Api(secured) as api, requests.Session() as session:
        api.control("POST", "reset")
        wanted = {"Authorization": f"Bearer {api.token}", "Prefer": "return=representation"}
        session.headers.update(wanted)
        session.verify = os.environ["REQUESTS_CA_BUNDLE"]
        service = odata.ODataService(f"{api.base}/", session=session, reflect_entities=True)
        accounts = service.entities["accounts"]
        account = accounts()
        account.name = "Reflected"
        service.save(account)
        query = service.query(accounts).filter(accounts.name.startswith("Refl"))
        assert [row.name for row in query.order_by(accounts.name.asc()).limit(5)] == ["Reflected"]
        kept = service.query(accounts).get(account.accountid)
        kept.name = "Changed"
        service.save(kept)
        assert api.row(f"accounts({kept.accountid})")["name"] == "Changed"
        service.delete(kept)
        assert api.row("accounts")["value"] == []


def test_a_crm_client_keeps_the_sales_tables(secured: Emulator) -> None:
    crm = pytest.importorskip("dynamics365crm.client")
    bodies = {
        "contact": {"lastname": "L", "emailaddress1": "a@example.com"},
        "account": {"name": "N", "websiteurl": "https://example.com"},
        "opportunity": {"name": "O"},
        "lead": {"subject": "S"},
        "campaign": {"name": "C"},
    }
    with Api(secured) as api:
        api.control("POST", "reset")
        client = crm.Client(secured.url, access_token=api.token)
        sets = {table: f"{table}s" for table in bodies} | {"opportunity": "opportunities"}
        for table, body in bodies.items():
            column, value = next(iter(body.items()))
            made = getattr(client, f"create_{table}")(**body)
            rows = client.get_data(sets[table], select=column, filter=f"{column} eq '{value}'")
            assert [row[f"{table}id"] for row in rows["value"]] == [made]
            getattr(client, f"update_{table}")(made, **{column: "New"})
            assert client.get_data(f"{sets[table]}({made})")[column] == "New"
            assert getattr(client, f"delete_{table}")(made)
            assert client.get_data(sets[table])["value"] == []


def test_a_table_client_writes_one_by_one_and_many_at_once(secured: Emulator) -> None:
    dataverse = pytest.importorskip("dataverse_api")
    with Api(secured) as api, requests.Session() as session:
        api.control("POST", "reset")
        session.headers["Authorization"] = f"Bearer {api.token}"
        session.verify = os.environ["REQUESTS_CA_BUNDLE"]
        client = dataverse.DataverseClient(session, secured.url)
        assert client.get_language_codes() == [1033]
        tickets = client.entity("new_ticket")
        assert (tickets.entity_set_name, tickets.primary_id_attr) == ("new_tickets", "new_ticketid")
        key = next(
            name for name, columns in tickets.alternate_keys.items() if columns == ["new_key"]
        )
        assert tickets.supports_create_multiple
        tickets.create([{"new_key": "A", "new_n": 1}, {"new_key": "B", "new_n": 1}])
        tickets.create([{"new_key": k, "new_n": 1} for k in "CD"], mode="multiple")
        tickets.upsert([{"new_key": k, "new_n": 2} for k in "DE"], altkey_name=key)
        rows = tickets.read(select=["new_key", "new_n"], order_by="new_key", page_size=2)
        assert [(row["new_key"], row["new_n"]) for row in rows] == [
            ("A", 1),
            ("B", 1),
            ("C", 1),
            ("D", 2),
            ("E", 2),
        ]
        tickets.delete_columns(columns=["new_n"], filter="new_key eq 'A'")
        tickets.delete(filter="new_n eq 2")
        assert len(tickets.read(select=["new_key"], filter="new_n eq null")) == 1
        assert len(tickets.read(select=["new_key"])) == 3
        assert client.get_entity_definition("account").schema_name == "Account"
        assert "opportunity_customer_accounts" in str(client.entity("account").relationships)


def test_a_secret_travels_plain_in_a_basic_header(secured: Emulator) -> None:
    """As OAuth libraries send it that leave out the encoding which RFC 6749 asks for."""
    form = {"grant_type": "client_credentials", "scope": secured.scope}
    pair = (secured.client_id, secured.client_secret)
    assert set("+/=") & set(secured.client_secret)
    answer = requests.post(
        secured.token_url, form, auth=pair, verify=os.environ["REQUESTS_CA_BUNDLE"], timeout=10
    )
    assert answer.status_code == 200
