"""The first files of a user: what `init` writes, and the demo too."""

from __future__ import annotations

import enum
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
  scope: {org}/.default
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

_FUNCTION = '''\
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


def write(
    kind: Kind, folder: Path, org: str = _ORG, token_url: str = _TOKEN_URL, replace: bool = False
) -> list[Path]:
    """Write the files of a kind, the destination first; FileExistsError unless `replace`."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = _texts(kind, org, token_url)
    written = []
    for name, text in texts.items():
        path = folder / name
        with path.open("w" if replace else "x", encoding="utf-8") as file:
            file.write(text)
        written.append(path)
    return written


def _texts(kind: Kind, org: str, token_url: str) -> dict[str, str]:
    common = {"org": org, "token_url": token_url, "type": kind.value}
    if kind is Kind.dynamics365:
        head = _HEAD.format(
            file="dynamics.yaml", id="segment-to-dynamics", url=f"url: {org}\n", **common
        )
        return {"dynamics.yaml": head + _DYNAMICS}
    head = _HEAD.format(file="webhook.yaml", id="segment-to-dynamics-webhook", url="", **common)
    return {"webhook.yaml": head + _WEBHOOK % org, "accounts.py": _FUNCTION}
