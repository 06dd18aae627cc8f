"""Hides what a destination file takes by reference wherever it is shown or kept: by origin.

An origin is a place of the file where a reference ({env: NAME}, {file: path}, …) brings what may be
a secret: in `auth`, `signing`, a proxy, a header, an address, a body, a marked setting. For people
its value becomes `***`. In a dead letter the reference itself takes its place, such as
{"env":"KEY"}, so that what is sent again carries the value of that day.

A value of fewer than eight characters is hidden only in its own place: as the header or the member
that it was written as. Otherwise no report could say `eu` any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote_plus

from pydantic import BaseModel

from .config import DestinationConfig
from .config_values import EnvText, SecretRef
from .errors import ConfigError
from .secrets import Secret, base64_of, forms, resolve_text

HIDDEN = "***"
SHORTEST = 8  # characters of what is hidden wherever it stands
# Parts of a subscription that go out with a request.
_SENT = (
    *("url", "headers", "transforms", "body", "batch", "key", "to", "on_create", "if_match"),
    *("owner", "status", "statecode", "statuscode"),
)
_ADDRESSES = ("token_url", "authorize_url", "device_url")
_LINE = 24  # characters of a line of a certificate or a key that are worth hiding alone
_SEGMENT = re.compile(r"(?=.*[0-9A-Z]).{8,}|.{20,}")  # of a path: no word of a language
# A reference in a letter's text, at any depth of quoting.
_PLACEHOLDER = re.compile(rb'\{\\*"(?:env|file|keyring|airflow)\\*":')
# How a value may stand in a text other than as it is, and can be put there anew.
_CODINGS: dict[str, Callable[[str], str]] = {
    "percent": lambda value: quote(value.encode("utf-8", "surrogatepass"), safe=""),
    "form": lambda value: quote_plus(value.encode("utf-8", "surrogatepass")),
    "base64": base64_of,
}


class Origin(NamedTuple):
    """One value that came by reference.

    reference: as a letter has it, in JSON; "" for a part of a value, which is not made anew alone.
    name: of the header or member that it is the whole value of. shown: what people see instead.
    """

    value: Secret
    reference: str = ""
    name: str = ""
    shown: str = HIDDEN

    @property
    def is_long(self) -> bool:
        """True where it is hidden wherever it stands."""
        return len(self.value) >= SHORTEST


class Taken(NamedTuple):
    """A text out of which secrets were taken. found: there were any; whole: `put_in` undoes it."""

    text: bytes
    found: bool = False
    whole: bool = True


class Redaction:
    """The values of one destination as they are now. Immutable; its repr shows none."""

    def __init__(self, origins: Iterable[Origin] = ()) -> None:
        self._origins = sorted(set(origins), key=_surer_first)
        self._shown: dict[str, str] = {}
        for one in self._origins:
            for form in forms(one.value) if one.is_long else ():
                self._shown.setdefault(form, one.shown)
        self._by_length = sorted(self._shown, key=len, reverse=True)
        self._swaps = [swap for one in self._origins for swap in _swaps(one)]
        needles = {swap.find for swap in self._swaps}
        self._needles = re.compile(b"|".join(map(re.escape, needles))) if needles else None

    @classmethod
    def of(cls, config: DestinationConfig, *, secrets: bool = True) -> Redaction:
        """Of a destination file. secrets: those of the sign-in too, which to show needs none of."""
        return cls([*_of_file(config), *_of_secrets(config if secrets else config.settings)])

    def with_text(self, text: str) -> Redaction:
        """The same, and one more text, such as a token that was given meanwhile."""
        return Redaction([*self._origins, Origin(Secret(text))])

    @property
    def texts(self) -> list[Secret]:
        """Texts that are hidden wherever they stand, as they are and encoded; the longest first."""
        return [Secret(one) for one in self._by_length if self._shown[one][:4] != "http"]

    # -- for people

    def text(self, text: str) -> str:
        """A text without secrets."""
        for form in self._by_length:
            text = text.replace(form, self._shown[form])
        return text

    def headers(self, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Headers without secrets."""
        own = {(one.name.lower(), one.value) for one in self._origins if one.name}
        return tuple(
            (name, HIDDEN if (name.lower(), value) in own else self.text(value))
            for name, value in headers
        )

    def value(self, value: Any, name: str = "") -> Any:
        """A JSON value without secrets, however deep; name: of the member that it is."""
        if not self._origins:
            return value
        whole: list[Any] = [None]
        todo: list[tuple[Any, Any, Any, str]] = [(whole, 0, value, name)]
        while todo:
            into, at, one, name = todo.pop()
            if isinstance(one, dict):
                into[at] = dict.fromkeys(map(self.text, one))
                todo += [(into[at], self.text(key), part, key) for key, part in one.items()]
            elif isinstance(one, list | tuple):
                into[at] = [None] * len(one)
                todo += [(into[at], place, part, name) for place, part in enumerate(one)]
            else:
                into[at] = self._scalar(one, name)
        return whole[0]

    def _scalar(self, one: Any, name: str) -> Any:
        if not isinstance(one, str):
            return one
        own = name and any(each.name == name and each.value == one for each in self._origins)
        return HIDDEN if own else self.text(one)

    def body(self, text: str) -> str:
        """A body for people: JSON text, a form, or the parts of a change set."""
        for one in self._origins:
            if one.name and not one.is_long:
                for form in _json_forms(one.value):
                    text = text.replace(_member(one.name, form), _member(one.name, f'"{HIDDEN}"'))
        return self.text(text)

    # -- for letters

    def take_out(
        self, text: bytes, event: bytes | None = None, *, is_address: bool = False
    ) -> Taken:
        """JSON text with references in place of secrets. is_address: it is that, no JSON.

        A value of the event itself is the event's, and stays. Where the text looks as if it held
        references already, it cannot be put together again.
        """
        if self._needles is None:
            return Taken(text)
        before, whole = text, not _PLACEHOLDER.search(text)
        if not self._needles.search(text):
            return Taken(text, whole=whole)
        for swap in self._swaps:
            if swap.is_address != is_address or swap.is_of(event):
                continue
            after = swap.pattern.sub(swap.reference.replace(b"\\", rb"\\"), text)
            whole = whole and (after == text or swap.is_whole)
            text = after
        return Taken(text, text != before, whole)

    def put_in(self, text: bytes, *, is_address: bool = False) -> bytes | None:
        """The text with the values of today; None where a reference is none of this file's."""
        for swap in self._swaps:
            if swap.is_whole and swap.is_address == is_address:
                text = text.replace(swap.reference, swap.find)
        return None if _PLACEHOLDER.search(text) else text


def _surer_first(one: Origin) -> tuple[int, bool, str, str]:
    return -len(one.value), not one.reference, one.reference, one.name


@dataclass(frozen=True, repr=False)
class _Swap:
    """A text that is taken out of a letter, and what takes its place.

    needs: the value as an event would hold it; where it does, the text is left alone; None: never.
    """

    find: bytes
    pattern: re.Pattern[bytes]
    reference: bytes
    is_whole: bool
    is_address: bool
    needs: bytes | None

    def is_of(self, event: bytes | None) -> bool:
        """True where the event itself holds the value."""
        return self.needs is not None and event is not None and self.needs in event


def _swaps(one: Origin) -> Iterator[_Swap]:
    """The ways in which a value may stand in a letter; what is longer and surer comes first."""
    whole = one.reference != ""
    reference = one.reference or HIDDEN
    quoted = reference if whole else f'"{HIDDEN}"'
    for form in _json_forms(one.value):
        if one.name and whole:
            find, to = _member(one.name, form), _member(one.name, quoted)
            yield _swap(find, to, whole, is_address=False, needs=None)
        if one.is_long:
            needs = form[1:-1].encode("utf-8", "surrogatepass")
            yield _swap(form, quoted, whole, is_address=False, needs=needs, behind=rb"(?!\s*:)")
            inside = json.dumps(reference)[1:-1]
            yield _swap(form[1:-1], inside, whole, is_address=False, needs=needs)
    if not one.is_long:
        return
    yield _swap(one.value, reference, whole, is_address=True, needs=None)
    for name, coded in _CODINGS.items():
        find = coded(one.value)
        if find != one.value:
            to = f'{reference[:-1]},"as":"{name}"}}' if whole else HIDDEN
            needs = find.encode("utf-8", "surrogatepass")
            yield _swap(find, json.dumps(to)[1:-1], whole, is_address=False, needs=needs)
            yield _swap(find, to, whole, is_address=True, needs=None)


def _swap(
    find: str, to: str, whole: bool, *, is_address: bool, needs: bytes | None, behind: bytes = b""
) -> _Swap:
    raw = find.encode("utf-8", "surrogatepass")
    return _Swap(raw, re.compile(re.escape(raw) + behind), to.encode(), whole, is_address, needs)


def _json_forms(value: str) -> list[str]:
    """A text as JSON writes it, with its quotes."""
    return list(dict.fromkeys((json.dumps(value, ensure_ascii=False), json.dumps(value))))


def _member(name: str, value: str) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}:{value}"


# -- where values come from


def _of_file(config: DestinationConfig) -> Iterator[Origin]:
    """Values that the file's {env: …} brings into requests and addresses."""
    data = config.reading.resolved
    yield from _of_url(data.get("url"))
    sign_in = data.get("auth")
    for name in _ADDRESSES:
        yield from _of_url(sign_in.get(name) if isinstance(sign_in, dict) else None)
    for one in data["subscriptions"]:
        yield from _of_url(one.get("url"))
        for part in _SENT:
            if not (part == "url" and isinstance(one.get(part), str)):
                yield from _of_part(one.get(part), "")


def _of_part(part: Any, name: str) -> Iterator[Origin]:
    if isinstance(part, Mapping):
        for key, one in part.items():
            is_directive = key.startswith("@") and not key.startswith("@@")
            yield from _of_part(one, "" if is_directive else re.sub("^@@", "@", key))
    elif isinstance(part, list):
        for one in part:
            yield from _of_part(one, name)
    elif isinstance(part, EnvText) and part.name:  # what stands in for one has none
        yield from _of_text(part, name)


def _of_text(text: EnvText, name: str) -> Iterator[Origin]:
    """A text of the environment; of a template, what stands between its placeholders."""
    yield Origin(Secret(text), _reference({"env": text.name}), name)
    scheme, blank, rest = text.partition(" ")
    if blank and scheme.isalpha():  # such as Bearer
        yield Origin(Secret(rest))
    pieces = re.split(r"\{\{.*?\}\}", text)
    for number, piece in enumerate(pieces if len(pieces) > 1 else ()):
        if len(piece) >= SHORTEST:
            shown = _origin_of(piece) + "/" + HIDDEN if _origin_of(piece) else HIDDEN
            yield Origin(Secret(piece), _reference({"env": text.name, "part": number}), "", shown)


def _of_url(url: Any) -> Iterator[Origin]:
    """An address: scheme and host may be seen, what stands behind them may not."""
    if not isinstance(url, EnvText) or not url.name:
        return
    host = _origin_of(url)
    tail = Secret(url[len(host) :])
    if tail in ("", "/"):
        return
    shown = f"/{HIDDEN}"
    yield Origin(Secret(url), _reference({"env": url.name}), "", host + shown)
    path, _mark, query = tail.partition("?")
    for one in (tail, path):
        yield Origin(Secret(one), "", "", shown)
    yield from (Origin(Secret(one)) for one in path.split("/") if _SEGMENT.fullmatch(one))
    for part in query.split("&"):
        value = part.partition("=")[2] or part
        yield from (Origin(Secret(value)), Origin(Secret(unquote_plus(value))))


def shown_address(url: str) -> str:
    """An address without its query; without its path too where it came by reference."""
    if isinstance(url, EnvText) and url != _origin_of(url):
        return f"{_origin_of(url)}/{HIDDEN}"
    return url.split("?")[0]


def address_secrets(url: str) -> list[Secret]:
    """Parts of an address that nobody is shown, the longest first; none unless by reference."""
    found = {one.value for one in _of_url(url) if one.is_long}
    return sorted(found, key=len, reverse=True)


def _origin_of(url: str) -> str:
    """Scheme and host of an address, "" where it is none."""
    found = re.match(r"https?://[^/?#]+", url)
    return found[0] if found else ""


def _of_secrets(part: DestinationConfig | Mapping[str, Any]) -> Iterator[Origin]:
    """Values of references to secrets, and what is made of them on the way."""
    for ref, user in references_in(part):
        try:
            value = resolve_text(ref)
        except ConfigError:
            continue  # told by what needs it
        yield Origin(value, _reference(_named(ref)))
        lines = value.splitlines()
        for one in lines if len(lines) > 1 else ():
            if len(one) >= _LINE and not one.startswith("-----"):
                yield Origin(Secret(one))
        if value.startswith("whsec_"):
            yield Origin(Secret(value.removeprefix("whsec_")))
        if user:
            pairs = (f"{user}:{value!s}", f"{quote_plus(user)}:{quote_plus(value)}")
            yield from (Origin(Secret(base64_of(one))) for one in pairs)


def references_in(part: Any, user: str = "") -> Iterator[tuple[SecretRef, str]]:
    """Each reference below a part of the configuration, with the user whose secret it is."""
    if isinstance(part, SecretRef):
        yield part, user
    elif isinstance(part, BaseModel):
        members = dict(part)
        user = str(members.get("username") or members.get("client_id") or "")
        for one in members.values():
            yield from references_in(one, user)
    elif isinstance(part, Mapping | Sequence) and not isinstance(part, str | bytes):
        for one in part.values() if isinstance(part, Mapping) else part:
            yield from references_in(one, user)


def _named(ref: SecretRef) -> dict[str, str]:
    given = {name: getattr(ref, name) for name in ("env", "file", "keyring", "user")}
    given |= {"airflow": ref.airflow, "field": ref.field}
    return {name: value for name, value in given.items() if value is not None}


def _reference(named: Mapping[str, Any]) -> str:
    return json.dumps(named, separators=(",", ":"))
