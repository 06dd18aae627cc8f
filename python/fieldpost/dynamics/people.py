"""The users that requests act for: whether an environment has them, asked in few requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from ..errors import FieldpostError
from .web_api import WebApi

_COLUMNS = {"callerobjectid": "azureactivedirectoryobjectid", "mscrmcallerid": "systemuserid"}
_AT_ONCE = 50


class People:
    """Looks users up and remembers them. Where they may not be read, all are taken as known."""

    def __init__(self, api: WebApi) -> None:
        self._api = api
        self._known: dict[tuple[str, str], bool] = {}

    def load(self, requests: Iterable[Mapping[str, str]]) -> None:
        """Look up whom these headers name, as far as that is not known yet."""
        wanted = dict.fromkeys(person for headers in requests for person in _named(headers))
        for header, column in _COLUMNS.items():
            ids = [who for name, who in wanted if name == header and (name, who) not in self._known]
            for begin in range(0, len(ids), _AT_ONCE):
                self._ask(header, column, ids[begin : begin + _AT_ONCE])

    def stranger(self, headers: Mapping[str, str]) -> bool:
        """Whether a request would act for somebody who is not there, or is disabled."""
        return not all(self._known.get(person, True) for person in _named(headers))

    def _ask(self, header: str, column: str, ids: list[str]) -> None:
        condition = quote(" or ".join(f"{column} eq {one}" for one in ids))
        path = f"systemusers?$select={column},isdisabled&$filter={condition}"
        try:
            rows = self._api.document(path).get("value")
        except FieldpostError:
            return
        enabled = {
            str(row.get(column)).lower()
            for row in (rows if isinstance(rows, list) else ())
            if not row.get("isdisabled")
        }
        self._known.update({(header, one): one in enabled for one in ids})


def _named(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    some = ((name.lower(), value.lower()) for name, value in headers.items())
    return [(name, value) for name, value in some if name in _COLUMNS]
