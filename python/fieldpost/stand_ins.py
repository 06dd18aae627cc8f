"""A destination file read without its environment: what {env: NAME} would give is stood in for.

So unit cases give the same on every machine, and need no secret. An address becomes
https://name.invalid, a text ${NAME}; options of delivery and the like keep their defaults.
"""

from __future__ import annotations

from typing import Any

from .config_values import ABSENT, EnvText, Reading
from .yaml_text import Path

_ADDRESSES = ("url", "token_url")
_OPTIONS = ("enabled", "allow_http", "ca_file", "ledger", "source")


class LenientReading(Reading):
    """A file being read with the environment as far as it goes."""

    stands_in = "missing"

    def _variable(self, name: str, path: Path) -> Any:
        given = super()._variable(name, path)
        return _stand_in(name, path) if given is None else given


class StandInReading(Reading):
    """A file being read, whatever the environment holds."""

    stands_in = "always"

    def _variable(self, name: str, path: Path) -> Any:
        return _stand_in(name, path)


def _stand_in(name: str, path: Path) -> Any:
    if path[-1] in _ADDRESSES:
        return EnvText(f"https://{name.lower().replace('_', '-')}.invalid")
    if path[0] == "delivery" or path[-1] in _OPTIONS:
        return ABSENT
    return EnvText(f"${{{name}}}")
