"""$batch and change sets. E ids are those of the emulator's own reference."""

from __future__ import annotations

import json
import re
from email import message_from_bytes
from typing import Any, NamedTuple

import httpx
import pytest

from emulator_client import Api, fixture_api, fixture_emulator, row_id  # noqa: F401


class Inner(NamedTuple):
    """One answer of a batch."""

    status: int
    headers: dict[str, str]
    body: Any
    content_id: str | None

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


def part(method: str, path: str, body: Any = None, number: int | None = None, **more: str) -> str:
    lines = ["Content-Type: application/http", "Content-Transfer-Encoding: binary"]
    if number is not None:
        lines.append(f"Content-ID: {number}")
    address = path if path.startswith("$") else f"/api/data/v9.2/{path}"
    lines += ["", f"{method} {address} HTTP/1.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    if body is not None:
        lines += ["Content-Type: application/json", "", json.dumps(body)]
    else:
        lines += [""]
    return "\r\n".join(lines) + "\r\n"


def create(number: int, table: str = "account", cid: int | None = None, **body: Any) -> str:
    key = {"account": "accountid", "task": "activityid", "contact": "contactid"}[table]
    return part("POST", f"{table}s", {key: row_id(number), **body}, cid)


def change_set(*parts: str, name: str = "c") -> str:
    head = f"Content-Type: multipart/mixed; boundary=changeset_{name}\r\n\r\n"
    return head + "".join(f"--changeset_{name}\r\n{p}" for p in parts) + f"--changeset_{name}--\r\n"


def batch_text(*parts: str) -> str:
    return "".join(f"--batch_b\r\n{p}" for p in parts) + "--batch_b--\r\n"


def send(api: Api, *parts: str, text: str | None = None, **headers: str) -> httpx.Response:
    kind = 'multipart/mixed; boundary="batch_b"'
    return api.post(
        "$batch", batch_text(*parts) if text is None else text, Content_Type=kind, **headers
    )


def inner(answer: httpx.Response) -> list[Inner]:
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    return [one for p in message_from_bytes(head + answer.content).get_payload() for one in read(p)]


def read(message: Any) -> list[Inner]:
    if message.is_multipart():
        return [one for p in message.get_payload() for one in read(p)]
    head, _, body = message.get_payload().replace("\r\n", "\n").partition("\n\n")
    status, *lines = head.split("\n")
    headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
    content = json.loads(body) if body.strip() else None
    return [Inner(int(status.split()[1]), headers, content, message["Content-ID"])]


def test_E71_a_batch_is_answered_in_order(api: Api) -> None:
    both = change_set(create(1, cid=1, name="A"), create(2, cid=2, name="B"))
    answer = send(api, both, part("GET", f"accounts({row_id(1)})?$select=name"))
    assert answer.status_code == 200
    assert re.match(r"multipart/mixed; boundary=batchresponse_", answer.headers["content-type"])
    assert b"boundary=changesetresponse_" in answer.content
    first, second, third = inner(answer)
    assert [(one.status, one.content_id) for one in (first, second)] == [(204, "1"), (204, "2")]
    assert first.headers["odata-entityid"] == f"{api.base}/accounts({row_id(1)})"
    assert first.headers["location"] == first.headers["odata-entityid"]
    assert (third.status, third.body["name"], third.headers["odata-version"]) == (200, "A", "4.0")


def test_E71_addresses_have_three_forms(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(1), "name": "A"})
    path = f"accounts({row_id(1)})?$select=name"
    texts = [part("GET", path)] * 3
    texts[1] = texts[1].replace("/api/data/v9.2/", f"{api.base}/")
    texts[2] = texts[2].replace("/api/data/v9.2/", "")
    assert [one.body["name"] for one in inner(send(api, *texts))] == ["A"] * 3


@pytest.mark.parametrize("on", [True, False])
def test_E71_V5_a_content_id_may_be_missing(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V5": on})
    answer = send(api, change_set(create(1)))
    assert answer.status_code == (200 if on else 400)
    assert len(api.commits()) == int(on)


@pytest.mark.parametrize("on", [True, False])
def test_E71_V11_a_bind_finds_what_the_change_set_has_made(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V11": on})
    deal = {"name": "O", "customerid_account@odata.bind": f"/accounts({row_id(1)})"}
    answer = send(api, change_set(create(1, cid=1), part("POST", "opportunities", deal, 2)))
    assert answer.status_code == (200 if on else 404)
    assert len(api.commits()) == (2 if on else 0)


def test_E71_an_address_may_hold_spaces(api: Api) -> None:
    created = change_set(create(1, cid=1, name="A B"), create(2, cid=2, name="C"))
    read = part("GET", "accounts?$select=name&$filter=name eq 'A B'")
    [*_, listed] = inner(send(api, created, read))
    assert [row["name"] for row in listed.body["value"]] == ["A B"]


def test_E71_boundaries_may_begin_alike_and_have_blanks_behind_them(api: Api) -> None:
    both = change_set(create(1, cid=1), create(2, cid=2))
    text = batch_text(both, part("GET", "accounts?$select=name"))
    text = text.replace("changeset_c", "batch_b_1").replace("--batch_b\r\n", "--batch_b \t\r\n")
    assert [one.status for one in inner(send(api, text=text))] == [204, 204, 200]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("\r\n", "\n"),
        lambda text: text.removesuffix("\r\n"),
        lambda text: text.removesuffix("--batch_b--\r\n"),
        lambda text: text.replace("--batch_b", "--other"),
    ],
)
def test_E72_an_envelope_that_is_not_exact_runs_nothing(api: Api, spoil: Any) -> None:
    answer = send(api, text=spoil(batch_text(create(1), create(2))))
    assert answer.status_code == 400
    [only] = inner(answer)
    assert (only.status, only.code) == (400, "0x80048d19")
    assert "Stream was not readable." in only.body["error"]["message"]
    assert only.headers["odata-version"] == "4.0"
    assert "req_id" in only.headers
    assert api.commits() == []


def three(api: Api, **headers: str) -> httpx.Response:
    return send(api, create(1), create(1), create(3), **headers)


@pytest.mark.parametrize("listed", [True, False])
def test_E73_V4_the_first_failure_ends_the_batch(api: Api, listed: bool) -> None:
    api.control("POST", "switches", {"V4": listed})
    answer = three(api)
    assert answer.status_code == 412
    assert [one.status for one in inner(answer)] == ([204, 412] if listed else [412])
    assert [commit["id"] for commit in api.commits()] == [row_id(1)]


def test_E74_continue_on_error_runs_the_rest(api: Api) -> None:
    answer = three(api, Prefer="odata.continue-on-error")
    assert answer.status_code == 200
    assert [one.status for one in inner(answer)] == [204, 412, 204]
    assert [commit["id"] for commit in api.commits()] == [row_id(1), row_id(3)]


def bad_set() -> str:
    return change_set(create(1, cid=1), create(2, cid=2), create(3, "task", 3, subject="x" * 201))


def test_E75_a_change_set_that_fails_leaves_nothing(api: Api) -> None:
    answer = send(api, bad_set(), create(4))
    assert answer.status_code == 400
    [only] = inner(answer)
    assert (only.status, only.content_id, only.code) == (400, "3", "0x80044331")
    assert b"changesetresponse_" in answer.content
    assert api.commits() == []


def test_E76_continue_on_error_does_not_reach_into_a_change_set(api: Api) -> None:
    answer = send(api, bad_set(), create(4), Prefer="odata.continue-on-error")
    assert answer.status_code == 200
    assert [(one.status, one.content_id) for one in inner(answer)] == [(400, "3"), (204, None)]
    assert [commit["id"] for commit in api.commits()] == [row_id(4)]


def test_E77_content_ids_stand_for_rows(api: Api) -> None:
    bound = {"name": "O", "customerid_account@odata.bind": "$1"}
    parts = (
        create(1, cid=1),
        part("POST", "opportunities", {**bound, "opportunityid": row_id(2)}, 2),
        create(3, "contact", 3),
        part("PATCH", "$1", {"name": "Named"}, 4),
        part("PUT", "$1/primarycontactid/$ref", {"@odata.id": "$3"}, 5),
    )
    assert [one.status for one in inner(send(api, change_set(*parts)))] == [204] * 5
    account = api.row(f"accounts({row_id(1)})")
    assert (account["name"], account["_primarycontactid_value"]) == ("Named", row_id(3))
    assert api.row(f"opportunities({row_id(2)})")["_customerid_value"] == row_id(1)


def test_E77_a_part_that_asked_for_its_row_is_referred_to_as_well(api: Api) -> None:
    wish = "return=representation"
    person = part("POST", "contacts", {"lastname": "L"}, 2, Prefer=wish)
    tie = part("PUT", "$1/primarycontactid/$ref", {"@odata.id": "$2"}, 3)
    address = f"accounts({row_id(1)})"
    changed = part("PATCH", address, {"name": "A"}, 1, Prefer=wish)
    answers = inner(send(api, change_set(changed, person, tie)))
    assert [one.status for one in answers] == [201, 201, 204]
    tied = api.row(f"{address}/primarycontactid?$select=lastname")
    assert tied["contactid"] == answers[1].body["contactid"]


def test_E77_a_forward_reference_is_400(api: Api) -> None:
    deal = part("POST", "opportunities", {"customerid_account@odata.bind": "$2"}, 1)
    [only] = inner(send(api, change_set(deal, create(1, cid=2))))
    assert only.status == 400
    words = "Content-ID Reference: '$2' does not exist in the batch context."
    assert only.body["error"]["message"] == words
    assert api.commits() == []


@pytest.mark.parametrize("limit", [1000, 250])
def test_E78_too_many_parts_have_a_shape_of_their_own(api: Api, limit: int) -> None:
    api.control("POST", "limits", {"batch_parts": limit})
    get = part("GET", "WhoAmI")
    assert send(api, *[get] * limit).status_code == 200
    answer = send(api, *[get] * (limit + 1))
    assert answer.status_code == 400
    assert answer.json().keys() == {"Message", "ExceptionMessage", "ExceptionType", "StackTrace"}
    assert f"too many parts. A maximum number of '{limit}'" in answer.json()["ExceptionMessage"]


def test_E79_a_get_does_not_belong_into_a_change_set(api: Api) -> None:
    answer = send(api, change_set(create(1, cid=1), part("GET", "accounts", number=2)))
    assert answer.status_code == 400
    assert api.commits() == []


@pytest.mark.parametrize("depth", ["change set", "batch"])
def test_E79_nothing_nests(api: Api, depth: str) -> None:
    if depth == "batch":
        text = part("POST", "/api/data/v9.2/$batch", {}).replace("v9.2//api/data/v9.2/", "v9.2/")
        assert inner(send(api, text))[0].status == 400
    else:
        nested = change_set(change_set(create(1, cid=1), name="inner"))
        assert send(api, nested).status_code == 400
    assert api.commits() == []


def test_E80_a_part_may_ask_for_its_row(api: Api) -> None:
    asking = part("POST", "accounts?$select=name", {"name": "A"}, 1, Prefer="return=representation")
    [only] = inner(send(api, change_set(asking)))
    assert (only.status, only.body["name"]) == (201, "A")
    assert only.headers["preference-applied"] == "return=representation"


def test_E81_a_taken_id_undoes_the_change_set(api: Api) -> None:
    api.created("accounts", {"accountid": row_id(2)})
    answer = send(api, change_set(create(1, cid=1), create(2, cid=2)))
    [only] = inner(answer)
    assert (answer.status_code, only.status, only.code) == (412, 412, "0x80040237")
    assert only.content_id == "2"
    assert [commit["id"] for commit in api.commits()] == [row_id(2)]


@pytest.mark.parametrize("on", [True, False])
def test_E81_V12_the_marker_of_a_replay(api: Api, on: bool) -> None:
    api.control("POST", "switches", {"V12": on})
    marker = part("PATCH", f"tasks({row_id(4)})", {"subject": "S"}, 2, If_None_Match="*")
    both = change_set(part("PATCH", f"accounts({row_id(1)})", {"name": "A"}, 1), marker)
    assert send(api, both).status_code == 200
    answer = send(api, both)
    assert answer.status_code == (412 if on else 200)
    account = next(commit for commit in api.commits() if commit["id"] == row_id(1))
    assert (account["created"], account["updated"]) == (1, 0 if on else 1)


def test_E95_a_part_can_be_refused_for_the_limits_alone(api: Api) -> None:
    match = {"method": "POST", "path": "/contacts$", "part": True}
    api.faults({"match": match, "status": 429, "retry_after_s": 3})
    answer = send(api, create(1), create(2, "contact"), create(3), Prefer="odata.continue-on-error")
    assert answer.status_code == 200
    assert [one.status for one in inner(answer)] == [204, 429, 204]
    assert inner(answer)[1].headers["retry-after"] == "3"
    assert [commit["id"] for commit in api.commits()] == [row_id(1), row_id(3)]


def test_a_batch_takes_a_thousand_creates(api: Api) -> None:
    answer = send(api, *[part("POST", "tasks", {"subject": "S"}) for _ in range(1000)])
    assert [one.status for one in inner(answer)] == [204] * 1000
    assert len(api.commits("task")) == 1000
