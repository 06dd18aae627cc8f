"""The same POST through fieldpost: `dispatch_client.py off|on URL EVENTS IN_FLIGHT REQUESTS`.

off: NDJSON lines through plan and dispatcher, without a ledger. on: `Destination.deliver` as it is
used, from the file to the ledger's last transaction. Prints requests per second.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import fieldpost
from fieldpost import documents
from fieldpost._core import Dispatcher
from fieldpost.sources import open_source

DESTINATION = """\
name: benchmark
type: webhook
subscriptions:
  - {{name: post, filter: type = "track", url: "{url}", body: {{"@path": "$.properties"}}}}
delivery: {{max_in_flight: {in_flight}}}
"""


def without_ledger(destination: fieldpost.Destination, events: Path) -> int:
    """Every record offered as soon as there is room; returns how many were delivered."""
    plan = documents.compile_plan(destination.config)
    dispatcher = Dispatcher(json.dumps(documents.dispatcher_document(destination.config)))
    delivered = 0
    for chunk in open_source(events).chunks():
        batch = plan.process(chunk)
        begin = 0
        while begin < len(batch):
            end = min(len(batch), begin + dispatcher.room)
            dispatcher.offer(batch, [(i, i, 0.0, 0, False) for i in range(begin, end)])
            begin = end
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
        began = time.perf_counter()
        if mode == "off":
            delivered = without_ledger(destination, Path(events))
        else:
            delivered = destination.deliver(events, progress=False)["delivered"]
        took_s = time.perf_counter() - began
    if delivered != int(requests):
        sys.exit(f"{delivered} of {requests} delivered")
    print(f"{delivered / took_s:.0f}")


if __name__ == "__main__":
    main()
