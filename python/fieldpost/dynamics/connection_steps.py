"""The steps of a connection test that only Dynamics 365 has: who we are and what we may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from ..errors import AuthError, FieldpostError, Mistake
from ..inquiry import Answer
from ..step import Step
from .environment import Environment
from .privileges import Need, Privileges, Wanted, needs
from .schema import Schema, Table
from .web_api import WebApi

NAMES = ("who am i", "application user", "privileges", "schema")
NOT_REACHED = "not reached"
_ADMIN = "Power Platform admin center, Environments, Settings, Users + permissions"
_USER_PATH = (
    "systemusers({})?$select=fullname,applicationid"
    "&$expand=systemuserroles_association($select=name)"
)
# What the service says of users that it knows of, but lets do nothing.
_USERS = {
    "0x80072560": (
        "{} has no application user in this environment",
        f"administrator of the environment: create one for this client id ({_ADMIN}, Application "
        "users, New app user) and give it a security role",
    ),
    "0x80095ffc": (
        "this environment lists the applications that may use it, and {} is not among them",
        "administrator of the environment: put the client id on that list (Power Platform admin "
        "center, the environment's settings, app access control)",
    ),
    "0x80040225": (
        "the application user of {} is disabled",
        f"administrator of the environment: enable it ({_ADMIN}, Application users)",
    ),
    "0x80042f09": (
        "the application user of {} has no security role",
        f"administrator of the environment: give it one ({_ADMIN}, Application users, Edit "
        "security roles)",
    ),
    "0x8004d24b": (
        "the user of {} has no licence",
        "administrator of the tenant: license the user, or sign in as an application",
    ),
    "0x80072561": (
        "this machine's network address is blocked",
        "administrator of the tenant: let it through Conditional Access",
    ),
}


_SHOWN = 5
_SCHEMA_HINT = (
    "author of the file: correct the names and values; `fieldpost schema pull` keeps the schema "
    "beside the file, so that `fieldpost check` finds them without a network"
)


class ConnectionSteps:
    """Made one after the other; each gives its step. client: the client id, as people see it."""

    def __init__(
        self,
        api: WebApi,
        tables: Mapping[str, Table],
        subscriptions: Sequence[Wanted],
        client: str,
    ) -> None:
        self._api = api
        self._tables = tables
        self._subscriptions = subscriptions
        self._client = f"client id {client}" if client else "the client id"
        self._user_id = ""
        self._refused: str | None = None

    def who_am_i(self) -> Step:
        """Whether the service takes the token, and whose it is."""
        name = "who am i"
        try:
            answer = self._api.get("WhoAmI")
        except AuthError as error:
            return Step(name, False, f"{error.code} {error.message}", error.hint, 3)
        told = answer.json()
        if answer.status == 200 and isinstance(told, dict):
            self._user_id = str(told.get("UserId", ""))
            organization = told.get("OrganizationId", "")
            return Step(name, True, f"user {self._user_id} of organization {organization}")
        self._refused = answer.error[0]
        return Step(name, False, f"{answer}{_beside(answer)}", *_who_hint(answer))

    def application_user(self) -> Step:
        """The row of the user, and its roles."""
        name = "application user"
        if self._refused in _USERS:
            detail, hint = _USERS[self._refused]
            return Step(name, False, detail.format(self._client), hint, 3)
        if not self._user_id:
            return Step(name, None, NOT_REACHED)
        answer = self._api.get(_USER_PATH.format(self._user_id))
        row = answer.json()
        if answer.status != 200 or not isinstance(row, dict):
            return Step(name, None, f"its row cannot be read: {answer}")
        roles = [str(one.get("name")) for one in row.get("systemuserroles_association", ())]
        kind = f"application {row['applicationid']}" if row.get("applicationid") else "a person"
        detail = f"{row.get('fullname')}, {kind}, roles: {', '.join(roles) or 'of teams only'}"
        return Step(name, True, detail)

    def schema(self, mistakes: Callable[[Schema], list[Mistake]]) -> Step:
        """Whether the bodies fit the tables as they are. mistakes: what is wrong against those."""
        name = "schema"
        if not self._user_id:
            return Step(name, None, NOT_REACHED)
        tables = dict.fromkeys(
            need.table
            for one in self._subscriptions
            for need in needs(one, self._tables)
            if need.table
        )
        try:
            schema = Environment(self._api).schema(tables)
        except FieldpostError as error:
            return Step(name, None, f"the definitions cannot be read ({error.message})")
        found = mistakes(schema)
        if found:
            told = "; ".join(str(one) for one in found[:_SHOWN])
            more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            return Step(name, False, told + more, _SCHEMA_HINT, 2)
        return Step(name, True, f"the bodies fit {', '.join(tables)}")

    def privileges(self) -> Step:
        """Whether the roles give what each subscription needs."""
        name = "privileges"
        if not self._user_id:
            return Step(name, None, NOT_REACHED)
        wanted = {one.name: needs(one, self._tables) for one in self._subscriptions}
        try:
            held = Privileges(self._api, self._user_id)
            missing = held.missing(dict.fromkeys(need for some in wanted.values() for need in some))
        except FieldpostError as error:
            told = f"the service does not tell which it gives ({error.message})"
            return Step(name, None, told, "send a sample to see: --send --sample event.json")
        if not missing:
            return Step(name, True, "; ".join(_listed(one, wanted[one]) for one in wanted))
        lacking = {
            one: list(dict.fromkeys(missing[need] for need in some if need in missing))
            for one, some in wanted.items()
        }
        told = "; ".join(f"{one} lacks {', '.join(n)}" for one, n in lacking.items() if n)
        names = ", ".join(dict.fromkeys(missing.values()))
        hint = (
            f"administrator of the environment: add {names} to a security role of the application "
            f"user ({_ADMIN}, Security roles), or take out of the file what needs it"
        )
        return Step(name, False, told, hint, 3)


def _beside(answer: Answer) -> str:
    """Of an answer that is none of the Web API, what it is."""
    if 300 <= answer.status < 400:
        host = urlsplit(answer.headers.get("location", "")).hostname
        return f", a redirect to {host}" if host else ", a redirect"
    if answer.is_page:
        return ", a web page and none of the Web API"
    return " that is none of the Web API" if answer.status == 200 else ""


def _listed(name: str, wanted: Sequence[Need]) -> str:
    verbs: dict[str, list[str]] = {}
    for need in wanted:
        verbs.setdefault(need.table, []).append(need.verb)
    return f"{name}: " + ", ".join(f"{table} {' '.join(v)}".strip() for table, v in verbs.items())


def _who_hint(answer: Answer) -> tuple[str, int]:
    if answer.status == 401:
        return (
            "author of the file: `scope` must be the environment's own address followed by "
            "/.default, and `url` an address of the same environment",
            3,
        )
    if answer.error[0] in _USERS:
        return _USERS[answer.error[0]][1], 3
    if answer.status == 403 and answer.error[0]:
        return "administrator of the environment: see the service's own words", 3
    if answer.is_page:
        return (
            "operator: something other than Dynamics 365 answered, as a firewall, a proxy or a "
            "sign-in page; author of the file: is `url` the environment's address?",
            5,
        )
    if 300 <= answer.status < 400:
        return (
            "author of the file: `url` is the environment's address itself, which redirects "
            "nowhere; operator: perhaps a sign-in of the network stands before it",
            5,
        )
    if answer.error[0]:
        return "the service's own words tell what is wrong", 5
    return "author of the file: `url` is the environment's address, https://org.crm.dynamics.com", 5
