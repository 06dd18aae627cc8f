"""One step of a connection test."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """ok is True, False, or None where it does not apply or was not reached.

    detail: what was seen. hint: why it failed, what to do, and by whom. exit_code: what a script
    is told where it failed.
    """

    name: str
    ok: bool | None
    detail: str = ""
    hint: str = ""
    exit_code: int = 0

    def to_dict(self) -> dict[str, object]:
        """The step as `test-connection --output json` prints it."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "hint": self.hint}
