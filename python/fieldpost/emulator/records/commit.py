"""On whose behalf and under which terms a request writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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

    `created` holds the ids of rows made earlier in the same change set.
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

    def allow(self, verb: str, table: str, type_code: int) -> None:
        """Refuse what the user's roles do not allow, such as `prvCreateLead`."""
        denied = self.user.denied
        if denied:
            privilege = f"prv{verb}{table[:1].upper()}{table[1:]}"
            if privilege.lower() in denied:
                user = self.user
                raise no_privilege(user.id, user.roles, privilege, table, type_code)

    @property
    def author(self) -> Mapping[str, str | None]:
        """The columns of a row that say who changed it."""
        return {
            "_modifiedby_value": self.user.id,
            "_modifiedonbehalfby_value": self.on_behalf_of,
        }
