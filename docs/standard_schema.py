"""Writes the schema of the standard tables that ships with fieldpost, from the emulator's own.

`python docs/standard_schema.py` rewrites the file; `--check` only tells whether it is up to date.
The emulator is asked as any environment is, so what is written has come through the same reader.
"""

from __future__ import annotations

import dataclasses
import os
import sys

from fieldpost.config import parse
from fieldpost.dynamics.environment import Environment
from fieldpost.dynamics.schema import Schema, Table
from fieldpost.dynamics.schema_file import STANDARD, text
from fieldpost.dynamics.web_api import WebApi
from fieldpost.emulator import Emulator
from fieldpost.inquiry import Inquiry

_DESTINATION = """\
name: standard tables
type: dynamics365
url: {url}
auth: {{type: oauth2, grant: client_credentials, token_url: "{token_url}", scope: "{scope}",
       client_id: "{client_id}", client_secret: {{env: FIELDPOST_STANDARD_SECRET}}}}
subscriptions: [{{name: all, action: create, table: account, body: {{name: a}}}}]
"""


def main(arguments: list[str]) -> int:
    """0, or 1 where --check finds a file that has to be written anew."""
    wanted = text(standard_tables())
    if STANDARD.is_file() and STANDARD.read_text() == wanted:
        return 0
    if "--check" in arguments:
        print(f"{STANDARD.name} is out of date: ./dev docs", file=sys.stderr)
        return 1
    STANDARD.write_text(wanted)
    print(f"wrote {STANDARD.name}")
    return 0


def standard_tables() -> Schema:
    """The emulator's tables but those that an administrator made, without its address."""
    with Emulator() as emulator:
        os.environ["FIELDPOST_STANDARD_SECRET"] = emulator.client_secret
        config = parse(_DESTINATION.format(**emulator.details()))
        inquiry = Inquiry(config)
        inquiry.sign_in()
        environment = Environment(WebApi(emulator.url, inquiry))
        names = [name for name, table in environment.tables.items() if _is_standard(table)]
        schema = environment.schema(names)
    tables = {name: _own(table) for name, table in schema.tables.items() if _is_standard(table)}
    return Schema(tables)


def _is_standard(table: Table) -> bool:
    return bool(table.entity_set) and not table.name.startswith("new_")


def _own(table: Table) -> Table:
    """Without what leads to the tables that are left out."""
    navigation = {
        name: one for name, one in table.navigation.items() if not one.target.startswith("new_")
    }
    return dataclasses.replace(table, navigation=navigation)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
