"""A destination file read without its environment: what {env: NAME} would give is stood in for.

So unit cases give the same on every machine, and what sends nothing needs no secret. An address
becomes https://name.invalid, a text ${NAME}; options of delivery and the like keep their defaults.
"""

from __future__ import annotations

from typing import Any

from .config import DestinationConfig, examine
from .config_values import ABSENT, EnvText, Reading, SecretRef
from .errors import ConfigError
from .yaml_text import Path

_ADDRESSES = ("url", "token_url")
_OPTIONS = ("enabled", "allow_http", "ca_file", "ledger", "source")


class LenientReading(Reading):
    """A file being read with the environment as far as it goes."""

    stands_in = "missing"

    def _variable(self, name: str, path: Path) -> Any:
        given = super()._variable(name, path)
        if given is not None:
            return given
        self.stood_in.append(path)
        return _stand_in(name, path)


class StandInReading(Reading):
    """A file being read, whatever the environment holds."""

    stands_in = "always"

    def _variable(self, name: str, path: Path) -> Any:
        return _stand_in(name, path)


def offline(config: DestinationConfig) -> DestinationConfig:
    """The same for what sends nothing: texts stand for the variables and secrets that are not set.

    Raises ConfigError where a variable decides what the file is.
    """
    if not config.missing and not _has_reference(config.settings):
        return config
    examined = examine(config.text, config.file, config.reading.environ, LenientReading)
    if examined.config is None:
        raise ConfigError(config.missing or examined.mistakes, config.file)
    return examined.config


def _has_reference(part: Any) -> bool:
    if isinstance(part, dict | list):
        return any(map(_has_reference, part.values() if isinstance(part, dict) else part))
    return isinstance(part, SecretRef)


def _stand_in(name: str, path: Path) -> Any:
    if path[-1] in _ADDRESSES:
        return EnvText(f"https://{name.lower().replace('_', '-')}.invalid")
    if path[0] == "delivery" or path[-1] in _OPTIONS:
        return ABSENT
    return EnvText(f"${{{name}}}")
