"""Values on their way: labels become numbers, times dates, long texts shorter where said so."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request

import pytest

import fieldpost as fp
from fieldpost import documents

BODY = """\
      name: {"@path": "$.properties.company"}
      industrycode: {"@path": "$.properties.industry"}
      opportunity_customer_accounts:
        - name: {"@path": "$.properties.company"}
          estimatedclosedate: {"@path": "$.properties.closes"}
"""


def event(number, **properties):
    told = {"company": "Firm", "industry": "consulting ", "closes": "2026-03-01T23:30:00Z"}
    return {
        "type": "track",
        "event": "Account Created",
        "messageId": f"c-{number}",
        "properties": told | properties,
    }


def destination(recipe, more="", body=BODY, extra=""):
    file = recipe.dynamics(body, extra)
    file.write_text(file.read_text().replace("    body:", f"{more}    body:"))
    return fp.Destination.from_file(file)


def rows(recipe, table, columns):
    form = {
        "grant_type": "client_credentials",
        "client_id": recipe.emulator.client_id,
        "client_secret": recipe.emulator.client_secret,
        "scope": recipe.emulator.scope,
    }
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(recipe.emulator.token_url, data, timeout=60) as answer:
        token = json.load(answer)["access_token"]
    url = f"{recipe.emulator.url}/api/data/v9.2/{table}?$select={columns}"
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [[row[name] for name in columns.split(",")] for row in json.load(answer)["value"]]


def delivered(recipe, dest, *events):
    file = recipe.write("c.ndjson", "".join(json.dumps(one) + "\n" for one in events))
    report = dest.deliver(file, progress=False)
    return report["delivered"], report["rejected"], [f["code"] for f in report.failures]


def test_labels_become_numbers_and_times_become_dates_of_the_zone(recipe):
    dest = destination(recipe, "    date_zone: Europe/Berlin\n")
    assert delivered(recipe, dest, event(1)) == (1, 0, [])
    assert rows(recipe, "accounts", "name,industrycode") == [["Firm", 7]]
    assert rows(recipe, "opportunities", "estimatedclosedate") == [["2026-03-02"]]


def test_without_a_zone_a_day_is_that_of_utc_and_numbers_stay(recipe):
    dest = destination(recipe)
    assert delivered(recipe, dest, event(1, industry=20)) == (1, 0, [])
    assert rows(recipe, "accounts", "industrycode") == [[20]]
    assert rows(recipe, "opportunities", "estimatedclosedate") == [["2026-03-01"]]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ("", (0, 0, ["E518"])),
        ("    choices: {industrycode: reject}\n", (0, 0, ["E518"])),
        ("    choices: {industrycode: omit}\n", (1, 0, [])),
        ("    choices: {industrycode: 12}\n", (1, 0, [])),
    ],
)
def test_a_label_that_is_not_there_is_refused_left_out_or_another(recipe, more, wanted):
    assert delivered(recipe, destination(recipe, more), event(1, industry="None")) == wanted
    if wanted[0]:
        kept = 12 if "12" in more else None
        assert rows(recipe, "accounts", "industrycode") == [[kept]]


def test_a_text_is_cut_only_where_the_file_says_so(recipe):
    long = "😀" * 100  # 200 units where 160 fit
    assert delivered(recipe, destination(recipe), event(1, company=long))[:2] == (0, 1)
    dest = destination(recipe, "    truncate: name\n")
    assert delivered(recipe, dest, event(2, company=long)) == (1, 0, [])
    assert rows(recipe, "accounts", "name") == [["😀" * 80]]
    assert rows(recipe, "opportunities", "name") == [[long]]  # 300 fit there


def test_each_subscription_has_conversions_of_its_own(recipe):
    file = recipe.dynamics('      name: {"@path": "$.properties.company"}\n')
    text = file.read_text()
    second = text[text.index("  - name:") : text.index("delivery:")]
    second = second.replace("New account", "Cut").replace(
        "    body:", "    truncate: [name]\n    body:"
    )
    file.write_text(text.replace("delivery:", f"{second}delivery:"))
    dest = fp.Destination.from_file(file)
    events = recipe.write("c.ndjson", json.dumps(event(1, company="x" * 200)) + "\n")
    report = dest.deliver(events, progress=False)
    counts = report.to_dict()["subscriptions"]
    assert (counts["New account"]["rejected"], counts["Cut"]["delivered"]) == (1, 1)
    assert rows(recipe, "accounts", "name") == [["x" * 160]]


def test_a_saved_schema_has_the_labels_of_its_environment(recipe):
    file = recipe.dynamics("      new_name: a\n      new_tier: gOLD\n")
    file.write_text(file.read_text().replace("table: account", "table: new_ticket"))
    fp.Destination.from_file(file).saved_schema.pull()
    file.write_text(f"{file.read_text()}schema: dynamics.schema.json\n")
    dest = fp.Destination.from_file(file)
    assert dest.check()
    assert delivered(recipe, dest, event(1)) == (1, 0, [])
    assert rows(recipe, "new_tickets", "new_tier") == [[100000002]]


def test_a_version_of_the_mapping_is_another_with_another_conversion(recipe):
    versions = set()
    for more in ("", "    truncate: [name]\n", "    date_zone: UTC\n"):
        config = destination(recipe, more).config
        versions.add(documents.mapping_version(config, config.subscriptions[0]))
    assert len(versions) == 3


def test_the_core_is_told_where_navigation_leads_and_how_it_leads_back(recipe):
    config = destination(recipe).config
    fp.Destination(config).saved_schema.pull(["lead"])
    config = destination(recipe, extra="schema: dynamics.schema.json\n").config
    account = documents.tables_document(config)["account"]
    assert account["navigation"]["ownerid"] == {"tables": ["systemuser", "team"]}
    assert account["navigation"]["opportunity_customer_accounts"] == {
        "table": "opportunity",
        "collection": True,
        "partner": "customerid_account",
    }
    assert account["navigation"]["accountleads_association"] == {
        "table": "lead",
        "collection": True,
    }
