"""What is wrong with a destination file, said for its author.

Two sources: what the models refuse (`translate`), and rules that join several keys (`across`).
Values are never quoted, names of keys are.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import action_rules, auth_rules, entra_rules, proxy, send_rules
from .config_values import EnvText, Reading
from .environment_address import (
    WHERE,
    beyond_the_host,
    is_address,
    other_than_environment,
    spelling,
)
from .errors import Mistake
from .nearest_name import meant, meant_or_all
from .yaml_text import Path, YamlText, parse_path

_EXPECTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "list_type": "a list",
    "tuple_type": "a list",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("more than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_FILTER = "you mean filter: {text: …, dialect: trigger} reads the text as Segment does"
_BODY = "you mean body: what the mapping gives is sent as that"
# What Segment calls parts of a subscription.
_SEGMENTS = {
    **dict.fromkeys(("trigger", "subscribe"), _FILTER),
    **dict.fromkeys(("mapping", "data", "fields"), _BODY),
}
_GRANTS = ("client_credentials", "authorization_code", "refresh_token")
_ACTIONS = {"webhook": ("send",), "dynamics365": action_rules.ACTIONS}


def ordered(mistakes: Sequence[Mistake]) -> list[Mistake]:
    """By place in the file, each once."""
    unique = dict.fromkeys(mistakes)
    return sorted(unique, key=lambda one: (one.line or 0, one.column or 0, one.path))


def placed(mistake: Mistake, places: YamlText) -> Mistake:
    """The mistake with the line and column of its path, if it has none yet."""
    if mistake.line is not None:
        return mistake
    line, column = places.locate(mistake.path)
    if mistake.code == "E204":  # it is about the option's name
        line, column = places.locate_key(mistake.path)
    if mistake.span is not None:
        path = parse_path(mistake.path)
        text = path if isinstance(places.value(path), str) else (*path, "text")
        line, column = places.locate_within(text, mistake.span[0])
    return dataclasses.replace(mistake, line=line, column=column)


def translate(
    details: Sequence[Mapping[str, Any]],
    data: Any,
    reading: Reading,
    keys: Mapping[str, tuple[str, ...]],
) -> list[Mistake]:
    """Mistakes for the errors of a ValidationError; those of unset variables are told already."""
    found = []
    for detail in details:
        path = _real_path(detail["loc"], data, str(detail["type"]))
        if not any(path[: len(unset)] == unset for unset in reading.unset):
            found.append(_Refusal(detail, path, data, reading.places, keys).mistake())
    return found


def _real_path(loc: Sequence[str | int], data: Any, kind: str) -> Path:
    """A location without the names of union members that pydantic puts between."""
    path: list[str | int] = []
    for index, step in enumerate(loc):
        last = index == len(loc) - 1
        if step == "[key]":
            break
        if _has(data, step):
            data = data[step]
        elif not (last and kind == "missing"):
            continue
        path.append(step)
    return tuple(path)


def _has(data: Any, step: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(step, int) and step < len(data)
    return isinstance(data, dict) and step in data


class _Refusal:
    """One error of a model, on its way to a Mistake."""

    def __init__(
        self,
        detail: Mapping[str, Any],
        path: Path,
        data: Any,
        places: YamlText,
        keys: Mapping[str, tuple[str, ...]],
    ) -> None:
        self.kind = str(detail["type"])
        self.context: Mapping[str, Any] = detail.get("ctx") or {}
        self.told = str(detail["msg"])
        self.path, self.data, self.places, self.keys = path, data, places, keys

    def mistake(self) -> Mistake:
        if self.kind.startswith("E1"):
            return self._at(self.kind, self.context["message"], self.context["hint"])
        if self.kind == "extra_forbidden":
            return self._unknown_key()
        if self.kind == "missing":
            return self._at("E111", f"the key {_quoted(self.path[-1])} is missing")
        if self.kind in _EXPECTED:
            return self._wrong_type()
        if self.kind in _BOUNDS:
            words, bound = _BOUNDS[self.kind]
            return self._at("E113", f"expected {words} {self.context[bound]:g}")
        return self._choice()

    def _at(self, code: str, message: str, hint: str = "") -> Mistake:
        return self.places.mistake(code, message, self.path, hint)

    def _unknown_key(self) -> Mistake:
        word = str(self.path[-1])
        line, column = self.places.locate_key(self.path)
        siblings = self._siblings()
        hint = _SEGMENTS.get(word, "") if {"filter", "subscriptions"} & {*siblings} else ""
        told = self._at(
            "E110", f"unknown key {_quoted(word)}", hint or meant_or_all(word, siblings)
        )
        return dataclasses.replace(told, line=line, column=column)

    def _siblings(self) -> tuple[str, ...]:
        names = [step for step in self.path[:-1] if isinstance(step, str)]
        where = names[-1] if names else ""
        if where == "auth":
            where = str(self.data["auth"].get("type"))
        return self.keys.get(where, ())

    def _value(self) -> Any:
        value = self.data
        for step in self.path:
            value = value[step]
        return value

    def _wrong_type(self) -> Mistake:
        value, expected = self._value(), _EXPECTED[self.kind]
        hint = ""
        if expected == "a text" and isinstance(value, bool | int | float):
            hint = "put it in quotes"
        elif value is None:
            hint = "write a value or remove the key"
        return self._at("E112", f"expected {expected}, found {_kind_of(value)}", hint)

    def _choice(self) -> Mistake:
        if self.kind == "union_tag_not_found":
            self.path = (*self.path, "type")
            return self._at("E111", 'the key "type" is missing', "such as type: oauth2")
        if self.kind == "union_tag_invalid":
            self.path = (*self.path, "type")
            if self._value() in _GRANTS:
                hint = f"write type: oauth2 and grant: {self._value()}"
                return self._at("E113", "a grant is no type", hint)
        if self.kind in ("union_tag_invalid", "literal_error"):
            return self._not_one_of()
        if self.kind == "too_short":
            return self._at("E113", "expected at least one entry")
        return self._at("E113", self.told)

    def _not_one_of(self) -> Mistake:
        wanted = str(self.context.get("expected") or self.context.get("expected_tags"))
        choices = [one.strip(" '\"") for one in wanted.replace(" or ", ", ").split(",")]
        if self.path[-1:] == ("action",) and self.path[:1] == ("subscriptions",):
            choices = [*_ACTIONS.get(str(self.data.get("type")), choices)]
        value = self._value()
        told = "expected " + " or ".join(choices)
        if not isinstance(value, str) or isinstance(value, EnvText):
            return self._at("E113", told)
        return self._at("E113", told, meant(value, choices))


def _quoted(word: object) -> str:
    return json.dumps(str(word), ensure_ascii=False)


def _kind_of(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = {str: "a text", int: "a number", float: "a number", dict: "a mapping", list: "a list"}
    return next((words for kind, words in kinds.items() if isinstance(value, kind)), "something")


def across(data: Mapping[str, Any], reading: Reading) -> list[Mistake]:
    """The rules that join several keys."""
    places = reading.places
    found = [*_address(data, places), *_files(data, reading), *auth_rules.mistakes(data, places)]
    found += [*entra_rules.mistakes(data, places), *_client(data, places)]
    found += [*proxy.mistakes(data, places), *send_rules.mistakes(data, places)]
    subscriptions = data.get("subscriptions")
    listed = subscriptions if isinstance(subscriptions, list) else []
    for index, one in enumerate(listed):
        if isinstance(one, dict):
            found += _Subscribed(data, one, ("subscriptions", index), places).mistakes()
    found += _repeated(listed, places)
    return [*found, *_waits(data, places)]


def _address(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    for key in ("schema", "former_urls") if data.get("type") == "webhook" else ():
        if key in data:
            told = f"the type does not use {_quoted(key)}"
            yield places.mistake("E115", told, (key,), "remove it")
    if data.get("type") != "dynamics365":
        return
    if "url" not in data:
        hint = "the environment's address, such as https://contoso.crm.dynamics.com"
        yield places.mistake("E111", 'the key "url" is missing', ("url",), hint)
    else:
        yield from _environment(data["url"], places)
    if "auth" not in data:
        hint = "such as auth: {type: oauth2, grant: client_credentials, …}"
        yield places.mistake("E111", 'the key "auth" is missing', ("auth",), hint)


def _environment(url: Any, places: YamlText) -> Iterator[Mistake]:
    """An address that is of something else, or of more than the environment."""
    if not is_address(url):
        return
    other = other_than_environment(url)
    if other:
        told = f"expected the environment's own address, found that of {other}"
        yield places.mistake("E124", told, ("url",), WHERE)
    elif beyond_the_host(url):
        written = "https://host alone" if isinstance(url, EnvText) else spelling(url)
        told = "expected the environment's address without path and query"
        yield places.mistake("E113", told, ("url",), f"write {written}")


def _files(data: Mapping[str, Any], reading: Reading) -> Iterator[Mistake]:
    for key in ("functions", "ca_file"):
        written = data.get(key)
        if isinstance(written, str) and written and not (reading.directory / written).is_file():
            hint = "the path is relative to this file"
            yield reading.places.mistake("E118", "no such file", (key,), hint)
    written = data.get("ca_file")
    path = reading.ca_path(written if isinstance(written, str) else None)
    origin = "the file" if written else "the file that FIELDPOST_CA_FILE names"
    if path and not path.is_file() and not written:
        yield reading.places.mistake("E118", f"{origin} does not exist", ("ca_file",))
    elif path and path.is_file() and not _holds_certificates(path):
        told = f"{origin} holds no certificate in PEM form"
        yield reading.places.mistake("E118", told, ("ca_file",))


def _client(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    for key, needs in (("client_key", "client_cert"), ("client_key_password", "client_cert")):
        if key in data and needs not in data:
            hint = f"{needs}: {{file: client.pem}}"
            yield places.mistake("E111", f'the key "{needs}" is missing', (needs,), hint)
            return


def _holds_certificates(path: pathlib.Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True


def _waits(data: Mapping[str, Any], places: YamlText) -> Iterator[Mistake]:
    delivery = data.get("delivery")
    retry = delivery.get("retry") if isinstance(delivery, dict) else None
    if not isinstance(retry, dict):
        return
    first, most = retry.get("wait_initial_s", 1), retry.get("wait_max_s", 300)
    if isinstance(first, int | float) and isinstance(most, int | float) and 0 < most < first:
        path = ("delivery", "retry", "wait_max_s" if "wait_max_s" in retry else "wait_initial_s")
        yield places.mistake("E113", "wait_max_s is less than wait_initial_s", path)


def _repeated(subscriptions: Sequence[Any], places: YamlText) -> Iterator[Mistake]:
    for key in ("name", "id"):
        seen: dict[str, int] = {}
        for index, one in enumerate(subscriptions):
            given = one.get(key, one.get("name")) if isinstance(one, dict) else None
            if not isinstance(given, str):
                continue
            if given in seen and (
                key == "name" or "id" in one or "id" in subscriptions[seen[given]]
            ):
                told = f"this {key} belongs to another subscription already"
                path: Path = ("subscriptions", index, key if key in one else "name")
                hint = f"see line {places.locate(('subscriptions', seen[given]))[0]}"
                yield places.mistake("E114", told, path, hint)
            seen.setdefault(given, index)


class _Subscribed:
    """One subscription beside the destination it belongs to."""

    def __init__(
        self, data: Mapping[str, Any], one: Mapping[str, Any], path: Path, places: YamlText
    ) -> None:
        self.kind = data.get("type")
        self.has_url = "url" in data or "url" in one
        self.one, self.path, self.places = one, path, places
        self.action = one.get("action") or ("send" if self.kind == "webhook" else None)

    def mistakes(self) -> Iterator[Mistake]:
        yield from self._headers()
        fitting = _ACTIONS.get(str(self.kind), ())
        known = [one for actions in _ACTIONS.values() for one in actions]
        if self.action is None and fitting:
            yield self._missing("action", f"action: {fitting[0]}")
        elif self.action in known and self.action not in fitting and fitting:
            told = f"type {self.kind} has no such action"
            yield self._at("E115", told, "action", f"write action: {fitting[0]}")
        elif self.action in fitting and self.action == "send":
            yield from self._send()
        elif self.action in fitting:
            yield from action_rules.ActionRules(self.one, self.path, self.places).mistakes()

    def _send(self) -> Iterator[Mistake]:
        if not self.has_url:
            yield self._missing("url", "url: https://host/path")
        for key in ("table", *action_rules.KEYS):
            yield from self._useless(key)
        yield from self._binds(self.one.get("body"), ("body",))

    def _binds(self, body: Any, place: Path) -> Iterator[Mistake]:
        if isinstance(body, dict) and "@bind" in body:
            told = "@bind means a row of Dynamics 365"
            path = (*self.path, *place, "@bind")
            hint = 'write "@@bind" for a key of the body'
            yield self.places.mistake("E115", told, path, hint)
        members = body.items() if isinstance(body, dict) else ()
        listed = enumerate(body) if isinstance(body, list) else members
        for step, inside in listed:
            yield from self._binds(inside, (*place, step))

    def _headers(self) -> Iterator[Mistake]:
        headers = self.one.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            named = name.lower() in ("authorization", "proxy-authorization")
            if named and isinstance(value, str) and not isinstance(value, EnvText):
                told = "a secret does not belong into this file"
                path = (*self.path, "headers", name)
                yield self.places.mistake("E120", told, path, "use auth: of the destination")

    def _missing(self, key: str, example: str) -> Mistake:
        return self._at("E111", f"the key {_quoted(key)} is missing", key, f"such as {example}")

    def _useless(self, key: str) -> Iterator[Mistake]:
        if key in self.one:
            told = f"the action {self.action} does not use {_quoted(key)}"
            yield self._at("E115", told, key, "remove it")

    def _at(self, code: str, message: str, key: str, hint: str) -> Mistake:
        return self.places.mistake(code, message, (*self.path, key), hint)
