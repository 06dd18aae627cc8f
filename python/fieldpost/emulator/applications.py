"""The applications that are registered in the tenant, and their users in the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .records import BUSINESS_UNIT, USER, User, named_id
from .refusal import may_not_impersonate, no_roles, not_a_member, user_disabled

FIELDS = {
    "client_id",
    "client_secret",
    "member",
    "disabled",
    "roles",
    "deny",
    "certificate",
    "redirect_uris",
}
ACT_ON_BEHALF = "prvactonbehalfofanotheruser"


class ApplicationError(Exception):
    """An application that cannot be registered so."""


@dataclass(slots=True)
class Registered:
    """An application: what it proves itself with, and what its user may do.

    `member` says whether it has an application user at all; `denied` are privileges in lower case.
    """

    client_id: str
    client_secret: str | None
    user_id: str
    member: bool = True
    disabled: bool = False
    roles: int = 1
    denied: frozenset[str] = frozenset()
    certificate: str | None = None
    redirect_uris: tuple[str, ...] = ()

    @property
    def user(self) -> User:
        """Its user; raises `Refusal` where it has none that could do anything."""
        if not self.member:
            raise not_a_member()
        if self.disabled:
            raise user_disabled(self.user_id)
        if self.roles == 0:
            raise no_roles(self.user_id)
        return User(self.user_id, BUSINESS_UNIT, self.roles, self.denied)

    def described(self) -> dict[str, Any]:
        """For the control channel; the secret stays where it is."""
        return {
            "client_id": self.client_id,
            "user_id": self.user_id,
            "member": self.member,
            "disabled": self.disabled,
            "roles": self.roles,
            "deny": sorted(self.denied),
            "certificate": self.certificate is not None,
            "redirect_uris": list(self.redirect_uris),
        }


@dataclass(slots=True)
class Applications:
    """All of them, by client id. The first is the one that every emulator has."""

    first_id: str
    first_secret: str
    known: dict[str, Registered] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Only the first, with all rights."""
        first = Registered(self.first_id, self.first_secret, USER)
        self.known = {self.first_id.lower(): first}

    def find(self, client_id: str) -> Registered | None:
        """The application of this id."""
        return self.known.get(client_id.lower())

    def register(self, order: Any) -> Registered:
        """Register an application, or change one; without an id the first is meant."""
        if not isinstance(order, dict) or order.keys() - FIELDS:
            raise ApplicationError(f"an application has {sorted(FIELDS)}")
        client_id = str(order.get("client_id", self.first_id))
        application = self.find(client_id)
        if application is None:
            user_id = named_id(f"user of {client_id.lower()}")
            application = Registered(client_id, order.get("client_secret"), user_id)
            self.known[client_id.lower()] = application
        for name in FIELDS - {"client_id", "deny", "redirect_uris"}:
            if name in order:
                setattr(application, name, order[name])
        if "deny" in order:
            application.denied = frozenset(str(name).lower() for name in order["deny"])
        if "redirect_uris" in order:
            application.redirect_uris = tuple(order["redirect_uris"])
        return application


def impersonated(caller: User, user_id: str | None) -> User:
    """The user that the caller acts for; `user_id` is None where there is no such user."""
    if user_id is None or ACT_ON_BEHALF in caller.denied:
        raise may_not_impersonate(user_id or "unknown")
    return User(user_id, caller.business_unit, caller.roles, caller.denied)
