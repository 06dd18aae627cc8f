"""The first files of a user: what `init` writes, and the demo too."""

from __future__ import annotations

import enum
import json
import re
from pathlib import Path


class Kind(enum.StrEnum):
    """Systems that `init` knows."""

    dynamics365 = "dynamics365"
    webhook = "webhook"


_HEAD = """\
# {file}: where events go. `fieldpost check {file}` tells every mistake in it.
id: {id}
name: Segment to Microsoft Dynamics Integration
description: A new account, its contact, a deal and a task for every sign-up
enabled: true
type: {type}
{url}auth:
  type: oauth2
  grant: client_credentials
  token_url: {token_url}
  client_id: {{env: DYNAMICS_CLIENT_ID}}
  client_secret: {{env: DYNAMICS_CLIENT_SECRET}}   # by reference only: env or file
  scope: {scope}
"""

_DYNAMICS = """\
subscriptions:
  - name: New account
    filter: type = "track" and event = "Account Created"
    action: create
    table: account
    body:
      name: {"@path": "$.properties.company"}
      primarycontactid:
        firstname: {"@path": "$.properties.first_name"}
        lastname: {"@path": "$.properties.last_name"}
      opportunity_customer_accounts:
        - name: {"@template": "Opportunity associated to {{properties.company}}"}
          Opportunity_Tasks:
            - subject: Task associated to opportunity
delivery: {batching: off, max_in_flight: 16}
"""

_WEBHOOK = """\
# webhook.yaml: where events go. `fieldpost check webhook.yaml` tells every mistake in it.
id: my-webhook                          # by it the ledger knows what was delivered: keep it
name: My webhook
description: Each tracked event, as JSON to one address
enabled: true
type: webhook
url: {url}        # or {{env: NAME}}
event_id: {{"@path": "$.messageId"}}      # what tells events apart: each is delivered once
# A service that wants a key: bearer, basic, api_key, oauth2. Secrets by reference only.
# auth: {{type: bearer, token: {{env: WEBHOOK_TOKEN}}}}
functions: functions.py                 # changes or drops events before they are mapped
subscriptions:
  - name: Tracked events
    filter: type = "track" and event != "Test"
    method: POST
    headers: {{X-Event-Id: {{"@path": "$.messageId"}}}}
    body:
      id: {{"@path": "$.messageId"}}
      event: {{"@path": "$.event"}}
      user: {{"@path": "$.userId"}}
      at: {{"@path": "$.timestamp"}}
      properties: {{"@path": "$.properties"}}
# hold: an event whose answer was lost is not sent again by itself. resend: it is, perhaps twice.
delivery: {{batching: off, on_unconfirmed: hold}}
tests:                                  # `fieldpost test webhook.yaml` runs them; nothing is sent
  - name: an order goes out with its address in lower case
    event:
      type: track
      event: Order Completed
      messageId: m-1
      userId: u-1
      timestamp: 2026-03-01T12:00:00Z
      properties: {{email: Ada@Example.com, total: 20}}
    expect:
      body:
        id: m-1
        event: Order Completed
        user: u-1
        at: 2026-03-01T12:00:00Z
        properties: {{email: ada@example.com, total: 20}}
  - name: events of our own are dropped
    event: {{type: track, event: Order Completed, messageId: m-2, properties: {{internal: true}}}}
    expect: dropped
"""

_FUNCTIONS = '''\
"""The insert function: called for each event that a filter of webhook.yaml accepts."""

from fieldpost import DropEvent


def on_track(event, settings):
    properties = event.get("properties") or {}
    if properties.get("internal"):
        raise DropEvent("one of our own")
    if properties.get("email"):
        properties["email"] = properties["email"].lower()
    return event
'''

_RECIPE = """\
functions: accounts.py                  # appends "body" to the event
subscriptions:
  - name: New account
    filter: type = "track" and event = "Account Created"
    action: send
    url: %s/api/data/v9.2/accounts
    method: POST
    body: {"@path": "$.body"}
delivery: {batching: off, on_unconfirmed: hold}
"""

_RECIPE_FUNCTION = '''\
"""The insert function: called for each event that a filter of webhook.yaml accepts."""


def on_track(event, settings):
    properties = event["properties"]
    company = properties["company"]
    event["body"] = {
        "name": company,
        "primarycontactid": {
            "firstname": properties["first_name"],
            "lastname": properties["last_name"],
        },
        "opportunity_customer_accounts": [
            {
                "name": f"Opportunity associated to {company}",
                "Opportunity_Tasks": [{"subject": "Task associated to opportunity"}],
            }
        ],
    }
    return event
'''

_ORG = "https://your-org.crm.dynamics.com"
_TOKEN_URL = "https://login.microsoftonline.com/your-directory-id/oauth2/v2.0/token"


_URL = "https://example.com/events"


def write(kind: Kind, folder: Path, url: str | None = None) -> list[Path]:
    """Write the files of a kind, the destination first; FileExistsError where one is there.

    url: of the webhook, or of the environment; default: one to be replaced.
    """
    if kind is Kind.webhook:
        address = _quoted(url or _URL)
        texts = {"webhook.yaml": _WEBHOOK.format(url=address), "functions.py": _FUNCTIONS}
    else:
        texts = _dynamics((url or _ORG).rstrip("/"), _TOKEN_URL)
    return _written(folder, texts, "x")


def write_recipe(folder: Path, org: str, token_url: str) -> list[Path]:
    """Write the demo's job both ways, in the place of what is there: as a dynamics365 destination,
    the first of the files, and as a webhook to the same environment."""
    head = _head("webhook.yaml", "segment-to-dynamics-webhook", "webhook", "", org, token_url)
    webhook = {"webhook.yaml": head + _RECIPE % org, "accounts.py": _RECIPE_FUNCTION}
    return _written(folder, _dynamics(org, token_url) | webhook, "w")


def _written(folder: Path, texts: dict[str, str], mode: str) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with (folder / name).open(mode, encoding="utf-8") as file:
            file.write(text)
    return [folder / name for name in texts]


def _dynamics(org: str, token_url: str) -> dict[str, str]:
    url = f"url: {_quoted(org)}\n"
    head = _head("dynamics.yaml", "segment-to-dynamics", "dynamics365", url, org, token_url)
    return {"dynamics.yaml": head + _DYNAMICS}


def _head(file: str, id: str, type: str, url: str, org: str, token_url: str) -> str:
    scope = _quoted(f"{org}/.default")
    return _HEAD.format(file=file, id=id, type=type, url=url, scope=scope, token_url=token_url)


def _quoted(text: str) -> str:
    """A text as YAML: as it is where that is an address and nothing else."""
    return text if re.fullmatch(r"https?://[\w.:/-]+", text) else json.dumps(text)
