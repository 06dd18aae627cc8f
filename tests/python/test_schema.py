"""The schema of an environment: read from CSDL and definitions, kept in a file, shipped."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import fieldpost as fp
from fieldpost.dynamics import csdl
from fieldpost.dynamics.schema import Schema, Table
from fieldpost.dynamics.schema_file import STANDARD, text

ROOT = Path(__file__).parent.parent.parent
SMALL = Path(__file__).parent / "data/small_csdl.xml"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
# A folder with the metadata of a real environment, where somebody has one.
REFERENCE = Path(os.environ.get("FIELDPOST_CSDL", "../shared/dataverse/csdl"))


@pytest.fixture(name="small", scope="module")
def fixture_small() -> dict[str, Table]:
    return csdl.read(SMALL.read_bytes())


def test_a_type_has_what_its_base_type_has(small):
    visit = small["cr1_visit"]
    assert (visit.base, visit.key, visit.activity) == ("activitypointer", "activityid", True)
    assert visit.columns["subject"].type == "text"
    assert visit.columns["cr1_on"].edm == "Edm.Date"
    assert "regardingobjectid_cr1_shop" in visit.navigation


def test_the_lookup_of_a_subtype_is_found_without_a_constraint(small):
    own = small["cr1_visit"].navigation["regardingobjectid_cr1_shop_visit"]
    assert own.column == "_regardingobjectid_value"
    lookup = small["cr1_visit"].columns["_regardingobjectid_value"]
    assert (lookup.type, lookup.attribute, lookup.targets) == (
        "lookup",
        "regardingobjectid",
        ("cr1_shop",),
    )


def test_navigation_leads_both_ways_and_sets_are_looked_up(small):
    shop = small["cr1_shop"]
    assert shop.entity_set == "cr1_shopses"
    back = shop.navigation["cr1_shop_shops"]
    assert (back.collection, back.partner, back.many) == (True, "cr1_OwnerShop", False)
    assert shop.navigation["cr1_OwnerShop"].partner == "cr1_shop_shops"
    assert shop.navigation["cr1_shop_tags"].many
    assert shop.bindable("cr1_ownershop") == ["cr1_OwnerShop"]


def test_an_alternate_key_names_lookups_by_their_logical_names(small):
    assert [key.columns for key in small["cr1_shop"].keys.values()] == [
        ("cr1_code", "cr1_ownershop")
    ]


def test_a_type_of_a_later_version_is_other(small):
    assert small["cr1_shop"].columns["cr1_odd"].type == "other"


@pytest.mark.parametrize("document", [b"", b"<html>", b"<html/>", b'{"error": {}}'])
def test_what_is_no_csdl_is_refused(document):
    with pytest.raises(csdl.NotCsdl):
        csdl.read(document)


def test_a_type_that_is_its_own_base_is_refused():
    document = SMALL.read_bytes().replace(
        b'<EntityType Name="activitypointer" BaseType="mscrm.crmbaseentity">',
        b'<EntityType Name="activitypointer" BaseType="mscrm.cr1_visit">',
    )
    with pytest.raises(csdl.NotCsdl, match="own base"):
        csdl.read(document)


def test_a_file_gives_back_what_was_saved(small, tmp_path):
    schema = Schema(small, "https://org.example", "7").only(["cr1_visit", "cr1_tag"])
    schema.save(tmp_path / "s.json")
    assert Schema.load(tmp_path / "s.json") == schema
    assert schema.table("cr1_shop").partial and not schema.table("cr1_tag").partial
    assert schema.table("cr1_shop").entity_set == "cr1_shopses"


def test_a_file_is_the_same_whatever_the_order_and_has_a_column_to_a_line(small):
    turned = {name: small[name] for name in reversed(small)}
    table = turned["cr1_shop"]
    turned["cr1_shop"] = dataclasses.replace(table, columns=dict(reversed(table.columns.items())))
    assert text(Schema(turned)) == text(Schema(small))
    assert '    "cr1_code": {"type": "text"},\n' in text(Schema(small))
    json.loads(text(Schema(small)))


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 2}', '{"format": 1}', '{"format": 1, "tables": {"a": 3}}'],
)
def test_what_is_no_schema_is_told_with_what_to_do(content, tmp_path):
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(fp.ConfigError) as told:
        Schema.load(tmp_path / "s.json")
    assert told.value.code == "E260" and "schema pull" in told.value.hint
    with pytest.raises(fp.ConfigError, match="E260"):
        Schema.load(tmp_path / "none.json")


def test_the_standard_tables_are_those_of_the_emulator():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/standard_schema.py", "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert STANDARD.stat().st_size < 150_000


@pytest.mark.parametrize(
    ("table", "column", "wanted"),
    [
        ("account", "name", {"type": "text", "max_length": 160}),
        ("account", "revenue", {"type": "money", "low": 0, "high": 1e14}),
        ("account", "numberofemployees", {"type": "whole", "low": 0, "high": 1e9}),
        ("contact", "birthdate", {"type": "date", "behavior": "DateOnly"}),
        ("contact", "fullname", {"creatable": False, "updatable": False}),
        ("opportunity", "estimatedclosedate", {"edm": "Edm.Date"}),
        ("opportunity", "closeprobability", {"low": 0, "high": 100}),
        ("task", "subject", {"max_length": 200}),
        ("annotation", "notetext", {"type": "memo", "max_length": 100_000}),
        ("transactioncurrency", "isocurrencycode", {"max_length": 5, "required": True}),
    ],
)
def test_the_standard_tables_have_the_usual_limits(table, column, wanted):
    found = Schema.standard().table(table).columns[column]
    assert {name: getattr(found, name) for name in wanted} == wanted


def test_the_standard_tables_have_choices_with_labels():
    rating = Schema.standard().table("opportunity").columns["opportunityratingcode"]
    assert rating.labels == {"Hot": 1, "Warm": 2, "Cold": 3}


# -- a real environment's document, where somebody has one


def reference(name: str) -> bytes:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"no {path}: name a folder with real metadata in FIELDPOST_CSDL")
    return path.read_bytes()


DOCUMENTS = ["dynamics365-sales-subset.xml", "dataverse-online-core-subset.xml"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_real_document_is_read_whole(name):
    document = reference(name)
    tables = csdl.read(document)
    root = ElementTree.fromstring(document)
    for kind in root.iter(f"{EDM}EntityType"):
        table = tables[str(kind.get("Name"))]
        assert {str(p.get("Name")) for p in kind.findall(f"{EDM}Property")} <= table.columns.keys()
        own = {str(n.get("Name")): n for n in kind.findall(f"{EDM}NavigationProperty")}
        assert own.keys() <= table.navigation.keys()
        for property_name, one in own.items():
            read = table.navigation[property_name]
            assert read.collection == str(one.get("Type")).startswith("Collection(")
            assert read.partner == (one.get("Partner") or "")
            assert read.target in tables or read.target == "crmbaseentity"
    sets = {str(s.get("Name")) for s in root.iter(f"{EDM}EntitySet")}
    assert {t.entity_set for t in tables.values() if t.entity_set} == sets


@pytest.mark.parametrize("name", DOCUMENTS)
def test_in_a_real_document_base_types_are_resolved_and_partners_lead_back(name):
    tables = csdl.read(reference(name))
    task = tables["task"]
    assert (task.base, task.key) == ("activitypointer", "activityid")
    assert tables["activitypointer"].columns.keys() <= task.columns.keys()
    back = 0
    for table in tables.values():
        for one in table.navigation.values():
            partner = tables[one.target].navigation.get(one.partner) if one.partner else None
            if partner is not None and partner.partner == one.name:
                back += 1
    assert back > 200
    account = tables["account"]
    assert account.navigation["primarycontactid"].column == "_primarycontactid_value"


def test_the_standard_tables_have_no_name_that_a_real_document_lacks():
    tables = csdl.read(reference(DOCUMENTS[0]))
    for table in Schema.standard().full_tables:
        real = tables.get(table.name)
        if real is None:
            continue
        assert table.entity_set == real.entity_set or not real.entity_set
        assert table.key == real.key or real.base == "principal"
        for column in table.columns.values():
            assert real.columns[column.name].edm == column.edm, (table.name, column.name)
        for one in table.navigation.values():
            if one.target in tables:  # the reader's own documents are cut to some tables
                assert one.partner in ("", real.navigation[one.name].partner), one


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    schema = fp.Schema.standard()
    for place in (tmp_path / "none" / "a.json", tmp_path):
        with pytest.raises(fp.ConfigError) as told:
            schema.save(place)
        assert told.value.code == "E260"
        assert "cannot be written" in str(told.value)
        assert str(place) in str(told.value)
    assert list(tmp_path.iterdir()) == []
    assert not tmp_path.with_name(tmp_path.name + ".new").exists()
