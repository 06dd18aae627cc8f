"""A plain HTTP client of the emulator, and the fixtures that give it to tests.

It knows sockets and JSON, nothing of what the emulator is made of.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any, Self

import httpx
import pytest

from fieldpost.emulator import Emulator

ID = uuid.UUID("00000000-0000-4000-8000-000000000000").int


def row_id(number: int) -> str:
    """The same id for the same number, with letters in it, so that its case can differ."""
    return str(uuid.UUID(int=ID + 0xABCDEF00 + number))


def tree(**root: Any) -> dict[str, Any]:
    """An account with its contact and that one's task, an opportunity and its task."""
    call = {"activityid": row_id(5), "subject": "Call"}
    follow_up = {"activityid": row_id(4), "subject": "Follow up"}
    contact = {"contactid": row_id(2), "firstname": "John", "lastname": "Smith"}
    deal = {"opportunityid": row_id(3), "name": "Deal"}
    return {
        "accountid": row_id(1),
        "name": "Acme",
        "primarycontactid": {**contact, "Contact_Tasks": [call]},
        "opportunity_customer_accounts": [{**deal, "Opportunity_Tasks": [follow_up]}],
        **root,
    }


class Api:
    """One signed-in client; closes its connections at the end of its block.

    Paths are relative to the Web API.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.base = f"{emulator.url}/api/data/v9.2"
        self.http = httpx.Client(verify=False, timeout=60)
        self.token = self.sign_in().json()["access_token"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def form(self, **changes: str | None) -> dict[str, str]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.emulator.client_id,
            "client_secret": self.emulator.client_secret,
            "scope": self.emulator.scope,
        }
        return {name: value for name, value in (form | changes).items() if value is not None}

    def sign_in(self, **changes: str | None) -> httpx.Response:
        return self.http.post(self.emulator.token_url, data=self.form(**changes))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {self.token}"}
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = body if isinstance(body, str) else json.dumps(body)
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, f"{self.base}/{path}", content=content, headers=sent)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> httpx.Response:
        return self.send("DELETE", path, **headers)

    def row(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def created(self, path: str, body: Any) -> str:
        """The id of a row made for the test."""
        answer = self.post(path, body)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

    def control(self, method: str, path: str, order: Any = None) -> Any:
        answer = self.http.request(method, f"{self.emulator.control_url}/{path}", json=order)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, *faults: dict[str, Any]) -> None:
        self.control("POST", "faults", list(faults))

    def commits(self, table: str | None = None) -> list[dict[str, Any]]:
        found = self.control("GET", f"commits?table={table}" if table else "commits")
        return list(found["commits"])


def refused(answer: httpx.Response, status: int, code: str, *words: str) -> None:
    """The answer is this refusal, in the service's shape."""
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == code, error
    for word in words:
        assert word in error["message"], error


@pytest.fixture(scope="module", name="emulator")
def fixture_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(name="api")
def fixture_api(emulator: Emulator) -> Iterator[Api]:
    """A client of an empty emulator."""
    with Api(emulator) as client:
        client.control("POST", "reset")
        yield client
