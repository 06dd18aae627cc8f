"""Deliveries to an elastic table: no column emptied, partitions named, nothing doubled."""

from __future__ import annotations

import uuid

import pytest
from sales import Sales

UPSERT = """\
action: upsert
table: new_reading
key: {"@path": "$.no"}
body: {new_name: {"@path": "$.sensor"}, new_value: {"@path": "$.value"}}
"""
CREATE = """\
action: create
table: new_reading
body:
  new_name: {"@path": "$.sensor"}
  new_value: {"@path": "$.value"}
  partitionid: {"@path": "$.sensor"}
"""
KEY = """\
table: new_reading
key: {new_readingid: {"@uuid": [{"@path": "$.no"}]}, partitionid: {"@path": "$.sensor"}}
"""
LOST = {"match": {"method": "POST", "path": "/new_readings"}, "when": "after", "close": True}


@pytest.fixture
def sales(sales_anew: Sales) -> Sales:
    made = sales_anew
    made.subscribe("action: create\ntable: account\nbody: {name: x}", when="type = 'alias'")
    made.destination.saved_schema.pull(["new_reading"])
    made.subscriptions.clear()
    return made


@pytest.mark.parametrize("batching", ["off", "batch", "bulk", "auto"])
def test_an_upsert_empties_no_column(sales: Sales, batching: str) -> None:
    sales.subscribe(UPSERT)
    sales.delivery = sales.delivery.replace("{max", f"{{batching: {batching}, max")
    events = [{"no": f"R-{n}", "sensor": "boiler", "value": n} for n in range(3)]
    assert [row["effect"] for row in sales.deliver(*events)] == ["created"] * 3
    corrected = [{"no": f"R-{n}", "value": 70 + n} for n in range(3)]
    assert [row["effect"] for row in sales.deliver(*corrected)] == ["updated"] * 3
    rows = sales.rows("new_readings", "new_name,new_value")
    values = sorted((row["new_name"], row["new_value"]) for row in rows)
    assert values == [("boiler", 70 + n) for n in range(3)]
    assert [one["created"] for one in sales.commits("new_reading")] == [1] * 3


def test_a_check_tells_of_the_order_of_two_steps(sales: Sales) -> None:
    sales.subscribe(UPSERT)
    assert [one.code for one in sales.destination.check().warnings] == ["E281"]
    sales.subscriptions.clear()
    sales.subscribe(UPSERT + 'order_by: {"@path": "$.no"}')
    assert sales.destination.check().warnings == []
    sales.subscriptions.clear()
    sales.subscribe(UPSERT + 'if_match: "*"')
    assert sales.destination.check().warnings == []


@pytest.mark.parametrize("sensor", ["boiler", "hall/3 #7", "O'Neil"])
@pytest.mark.parametrize("shown", [True, False])
def test_a_creation_is_verified_in_its_partition(sales: Sales, sensor: str, shown: bool) -> None:
    sales.control("switches", {"V18": shown})
    sales.subscribe(CREATE)
    sales.control("faults", [LOST])
    row = sales.one({"sensor": sensor, "value": 1.5})
    assert (row["outcome"], row["effect"]) == ("delivered", "created")
    [made] = sales.rows("new_readings")
    assert (made["new_readingid"], made["partitionid"]) == (row["record_id"], sensor)
    assert [one["created"] for one in sales.commits("new_reading")] == [1]


def test_a_bulk_message_that_succeeds_in_part_doubles_nothing(sales: Sales) -> None:
    sales.subscribe(CREATE)
    sales.delivery = sales.delivery.replace("{max", "{batching: bulk, max")
    sales.control("faults", [LOST | {"match": {"path": "CreateMultiple"}}])
    events = [{"sensor": f"s{n % 2}", "value": n} for n in range(6)]
    events[2]["sensor"] = "x" * 101  # longer than its column
    rows = sales.deliver(*events)
    outcomes = [row["outcome"] for row in rows]
    assert outcomes == ["delivered", "delivered", "rejected", *["delivered"] * 3]
    assert rows[2]["code"] == "0x80044331"
    assert [one["created"] for one in sales.commits("new_reading")] == [1] * 5


def test_a_partition_stands_in_every_address(sales: Sales) -> None:
    sales.subscribe("action: upsert\nbody: {new_value: 1}\n" + KEY, when="type = 'identify'")
    sales.subscribe("action: update\nbody: {new_value: 2}\n" + KEY, when="type = 'track'")
    sales.subscribe("action: delete\n" + KEY, when="type = 'page'")
    event = {"no": "9", "sensor": "boiler"}
    [shown] = sales.destination.preview([{"messageId": "p", "type": "page", **event}])
    row_id = shown.record_id
    assert str(uuid.UUID(row_id)) == row_id
    assert shown.url.endswith(f"(new_readingid={row_id},partitionid='boiler')")
    sales.one({"type": "identify", **event})
    sales.one({"type": "identify", "no": "9", "sensor": "pump"})
    assert sales.one({"type": "track", **event})["effect"] == "updated"
    values = {row["partitionid"]: row["new_value"] for row in sales.rows("new_readings")}
    assert values == {"boiler": 2, "pump": 1}
    assert sales.one({"type": "page", **event})["effect"] == "deleted"
    assert [row["partitionid"] for row in sales.rows("new_readings")] == ["pump"]


def test_a_business_key_finds_its_row_in_the_partition_of_the_body(sales: Sales) -> None:
    sales.subscribe(UPSERT.replace("body: {", 'body: {partitionid: {"@path": "$.sensor"}, '))
    for value in (1, 2):
        assert sales.one({"no": "9", "sensor": "boiler", "value": value})["outcome"] == "delivered"
    [row] = sales.rows("new_readings")
    assert (row["partitionid"], row["new_value"]) == ("boiler", 2)
    assert sales.one({"no": "9", "sensor": 7, "value": 1})["code"] == "E425"
    assert sales.one({"no": "9", "sensor": "a/b", "value": 1})["code"] == "E516"


def test_a_diff_compares_rows_of_partitions(sales: Sales) -> None:
    sales.subscribe(UPSERT, when="type = 'track'")
    sales.subscribe(CREATE, when="type = 'page'")
    sales.one({"no": "1", "sensor": "boiler", "value": 1})
    sales.one({"type": "page", "messageId": "made", "sensor": "boiler", "value": 1})
    events = [
        {"type": "track", "messageId": "a", "no": "1", "value": 2},
        {"type": "track", "messageId": "b", "no": "2", "value": 2},
        {"type": "page", "messageId": "made", "sensor": "boiler", "value": 1},
        {"type": "page", "messageId": "made", "sensor": "pump", "value": 1},
    ]
    told = sales.destination.preview(events, diff=True)
    assert [row.effect for row in told.rows] == ["update", "create", "nothing", "create"]
