"""Numbers that identify: one id however they are written, and a ledger's former ids are found."""

from __future__ import annotations

import json

import pytest

import fieldpost as fp
from service import Service

DESTINATION = """
name: Orders
type: webhook
url: {url}/
event_id: {{"@path": "$.id"}}
ledger: {folder}/ledger.db
subscriptions:
  - name: All
    url: {{"@template": "{url}/orders/{{{{id}}}}"}}
    headers: {{X-Order: {{"@template": "no. {{{{id}}}}"}}}}
    body: {{id: {{"@path": "$.id"}}}}
"""


@pytest.fixture
def service():
    with Service() as running:
        yield running


@pytest.fixture
def orders(service, tmp_path):
    return fp.Destination.from_text(DESTINATION.format(url=service.url, folder=tmp_path))


def counts(report):
    told = report.to_dict()
    return told["delivered"], told["already_delivered"]


def test_a_number_is_one_event_however_it_is_written(orders, service):
    assert counts(orders.deliver(b'{"id":1001}\n')) == (1, 0)
    again = b'{"id":1001.0}\n{"id":1.001e3}\n{"id":"1001"}\n'
    assert counts(orders.deliver(again, dry_run=True)) == (0, 3)
    assert counts(orders.deliver(again)) == (0, 3)
    assert len(service.bodies) == 1


def test_what_a_ledger_knows_by_a_former_id_is_found(orders, service):
    # A text is kept as it is, as a number once was.
    assert counts(orders.deliver(b'{"id":"1001.0"}\n{"id":"7.50"}\n')) == (2, 0)
    again = b'{"id":1001.0}\n{"id":7.50}\n{"id":1002.0}\n'
    report = orders.deliver(again, dry_run=True).to_dict()
    assert (report["already_delivered"], report["waiting"]) == (2, 1)
    assert counts(orders.deliver(again)) == (1, 2)
    assert counts(orders.deliver(b'{"id":1002}\n')) == (0, 1)
    assert len(service.bodies) == 3


def test_addresses_and_headers_keep_the_digits_of_a_number(orders):
    event = b'{"id":820982911946154508}\n{"id":820982911946154509.0}\n'
    rows = orders.preview(event)
    assert [row.url.rsplit("/", 1)[1] for row in rows] == [
        "820982911946154508",
        "820982911946154509",
    ]
    assert [dict(row.headers)["X-Order"] for row in rows] == [
        "no. 820982911946154508",
        "no. 820982911946154509",
    ]
    assert json.loads(rows[0].body) == {"id": 820982911946154508}


def test_a_column_with_gaps_means_the_same_events(orders, service):
    pandas = pytest.importorskip("pandas")
    whole = pandas.DataFrame({"id": [1001, 1002]})
    gaps = pandas.DataFrame({"id": [1001, 1002, None]})
    assert counts(orders.deliver(whole)) == (2, 0)
    report = orders.deliver(gaps).to_dict()
    assert (report["already_delivered"], report["invalid"]) == (2, 1)
    assert service.bodies == [{"id": 1001}, {"id": 1002}]
