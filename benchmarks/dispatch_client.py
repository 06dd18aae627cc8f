"""The same POST through fieldpost: `dispatch_client.py off|on URL EVENTS IN_FLIGHT REQUESTS`.

off: records that are mapped already, through the dispatcher alone, as its peers post bodies that
they have. on: `Destination.deliver` as it is used, from the file to the ledger's last transaction.
Prints requests per second.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import fieldpost
from fieldpost import documents
from fieldpost._core import Batch, Dispatcher
from fieldpost.sources import open_source

DESTINATION = """\
name: benchmark
type: webhook
subscriptions:
  - {{name: post, filter: type = "track", url: "{url}", body: {{"@path": "$.properties"}}}}
delivery: {{max_in_flight: {in_flight}}}
"""


def mapped(destination: fieldpost.Destination, events: Path) -> list[Batch]:
    """Every event's record."""
    plan = documents.compile_plan(destination.config)
    return [plan.process(chunk) for chunk in open_source(events).chunks()]


def without_ledger(destination: fieldpost.Destination, batches: list[Batch]) -> int:
    """Every record offered as soon as there is room; returns how many were delivered."""
    dispatcher = Dispatcher(json.dumps(documents.dispatcher_document(destination.config)))
    delivered = 0
    for batch in batches:
        begin = 0
        while begin < len(batch):
            count = min(len(batch) - begin, dispatcher.room)
            dispatcher.offer_new(batch, begin, count, begin)
            begin += count
            delivered += len(dispatcher.settle(1)[0])
    while dispatcher.outstanding:
        delivered += len(dispatcher.settle(1)[0])
    return delivered


def main() -> None:
    """Deliver all events and say how fast."""
    mode, url, events, in_flight, requests = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmark.yaml"
        file.write_text(DESTINATION.format(url=url, in_flight=in_flight))
        destination = fieldpost.Destination.from_file(file)
        batches = mapped(destination, Path(events)) if mode == "off" else []
        began = time.perf_counter()
        if mode == "off":
            delivered = without_ledger(destination, batches)
        else:
            delivered = destination.deliver(events, progress=False)["delivered"]
        took_s = time.perf_counter() - began
    if delivered != int(requests):
        sys.exit(f"{delivered} of {requests} delivered")
    print(f"{delivered / took_s:.0f}")


if __name__ == "__main__":
    main()
