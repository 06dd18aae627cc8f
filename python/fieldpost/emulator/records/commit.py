"""On whose behalf and under which terms a request writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model import Table, privilege_name
from ..refusal import no_privilege


@dataclass(frozen=True, slots=True)
class User:
    """A user of the environment and what its roles do not allow."""

    id: str
    business_unit: str
    roles: int = 1
    denied: frozenset[str] = frozenset()


@dataclass(slots=True)
class Commit:
    """What a request carries into each change: who asks, when, and what is to be skipped.

    `created` holds the ids of rows made earlier in the same change set. `by_message`: a message of
    the service closes what no column can close.
    """

    request_id: str
    moment: str
    user: User
    on_behalf_of: str | None = None
    detect_duplicates: bool = False
    bypass_logic: bool = False
    in_change_set: bool = False
    created: set[str] = field(default_factory=set)
    rows: int = 0
    by_message: bool = False

    def allow(self, verb: str, table: Table) -> None:
        """Refuse what the user's roles do not allow, such as `prvCreateLead`."""
        user = self.user
        if user.denied:
            privilege = privilege_name(verb, table)
            if privilege.lower() in user.denied:
                raise no_privilege(user.id, user.roles, privilege, table.name, table.type_code)

    def attach(self, table: Table, target: Table) -> None:
        """Refuse a lookup from a row of one table to a row of the other, where not allowed."""
        self.allow("Append", table)
        self.allow("AppendTo", target)

    @property
    def author(self) -> Mapping[str, str | None]:
        """The columns of a row that say who changed it."""
        return {
            "_modifiedby_value": self.user.id,
            "_modifiedonbehalfby_value": self.on_behalf_of,
        }
