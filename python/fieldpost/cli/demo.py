"""The demo: the recipe from events to account trees, on a local Dynamics 365."""

from __future__ import annotations

import json
import os
import shutil
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from rich.tree import Tree

import fieldpost as fp
from fieldpost.emulator import Emulator
from fieldpost.terminal import line

from . import exit_code, printing, starter
from .events import write_events

_TREES = 3


def run_demo(folder: Path, events: int) -> int:
    """Make the files, deliver them, show what arrived; 0 where all of it is right."""
    say = printing.out.print
    with Emulator() as emulator:
        say(line(("1", "bold"), f" a local Dynamics 365 is at {emulator.url}"))
        os.environ["DYNAMICS_CLIENT_ID"] = emulator.client_id
        os.environ["DYNAMICS_CLIENT_SECRET"] = emulator.client_secret
        path = _write_files(folder, emulator, events)
        say(line(("2", "bold"), f" wrote the recipe and {events:,} events into {folder}/"))
        destination = fp.Destination.from_file(path)
        say(line(("3", "bold"), " testing the connection"))
        test = destination.test_connection()
        printing.connection(test)
        if not test:
            return test.exit_code
        say(line(("4", "bold"), " delivering"))
        report = destination.deliver(folder / "events.ndjson")
        printing.report(report)
        say(line(("5", "bold"), f" {_TREES} of the accounts, read back through the API"))
        _show_trees(emulator, destination)
    _say_what_next(folder)
    broken = report["invalid"]
    return exit_code.DONE if report.failed == broken and not report.stopped else exit_code.DEFECT


def _write_files(folder: Path, emulator: Emulator, events: int) -> Path:
    """The files of a new demo; an earlier one in the same folder is replaced, ledger and all."""
    if (folder / "events.ndjson").exists():
        shutil.rmtree(folder)
    written = starter.write_recipe(folder, emulator.url, emulator.token_url)
    write_events(folder / "events.ndjson", events)
    return written[0]


class _Reader:
    """Reads rows as any client would."""

    def __init__(self, emulator: Emulator) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": emulator.client_id,
            "client_secret": emulator.client_secret,
            "scope": emulator.scope,
        }
        with urllib.request.urlopen(
            emulator.token_url, urllib.parse.urlencode(form).encode(), timeout=30
        ) as answer:
            self._token = json.load(answer)["access_token"]
        self._base = f"{emulator.url}/api/data/v9.2/"

    def get(self, path: str) -> Any:
        """The JSON of one GET."""
        url = self._base + urllib.parse.quote(path, safe="/?$=&(),'")
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def _show_trees(emulator: Emulator, destination: fp.Destination) -> None:
    reader = _Reader(emulator)
    delivered = destination.outcomes("outcome = 'delivered'")
    for _, outcome in zip(range(_TREES), delivered, strict=False):
        printing.out.print(_account_tree(reader, outcome["record_id"]))


def _account_tree(reader: _Reader, account: str) -> Tree:
    row = reader.get(f"accounts({account})?$select=name,_primarycontactid_value")
    tree = Tree(line("account ", (row["name"], "bold")))
    contact = reader.get(f"contacts({row['_primarycontactid_value']})?$select=fullname")
    tree.add(line(f"primary contact {contact['fullname']}"))
    deals = reader.get(f"opportunities?$select=name&$filter=_customerid_value eq {account}")
    for deal in deals["value"]:
        branch = tree.add(line(f"opportunity {deal['name']}"))
        asked = f"tasks?$select=subject&$filter=_regardingobjectid_value eq {deal['opportunityid']}"
        for task in reader.get(asked)["value"]:
            branch.add(line(f"task {task['subject']}"))
    return tree


def _say_what_next(folder: Path) -> None:
    file = folder / "dynamics.yaml"
    told = " (the local Dynamics 365 has stopped; the ledger remembers)"
    printing.out.print(line(("next", "bold"), told))
    printing.out.print(
        f"""\
  fieldpost status {file}
  fieldpost outcomes {file} --where "outcome = 'invalid'"
  fieldpost preview {file} {folder / "events.ndjson"} --limit 1
  fieldpost emulator                       # one to keep: put its url into {file.name}
  fieldpost init dynamics365 my-folder     # files for your own environment"""
    )
