"""`source` of a destination file: what is read when nothing else is named, and how delimited text
in it is written.

    source: exports/*.csv
    source: {path: exports/*.csv, csv: {delimiter: ";", encoding: cp1252, decimal: ","}}
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from .auth_scheme import Part
from .config_values import Text, one_or_several, wrong
from .delimited_text import Dialect
from .errors import SourceError
from .nearest_name import meant_or_all

_SIGNS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|", "pipe": "|"}
_ENCODINGS = "such as utf-8, cp1252 or utf-16"


def _delimiter(value: Any) -> Any:
    if not isinstance(value, str):
        raise wrong("E113", "expected one sign", 'such as delimiter: ";"; tab is a name of one')
    sign = _SIGNS.get(value, value)
    if len(sign) != 1 or sign in '"\r\n\0' or sign.isalnum():
        raise wrong("E113", "expected one sign that is no letter, digit or quote", 'such as ";"')
    return sign


def _encoding(value: Any) -> Any:
    try:
        known = codecs.lookup(value) if isinstance(value, str) else None
    except (LookupError, ValueError):
        known = None
    if known is None or not getattr(known, "_is_text_encoding", True):
        raise wrong("E113", "no encoding of that name is known", _ENCODINGS)
    return "" if known.name == "utf-8" else value


def _header(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list | tuple) or not value:
        raise wrong("E113", "expected true, false or a list of names", "header: [id, name]")
    names = [one for one in value if isinstance(one, str) and one]
    if len(names) < len(value):
        raise wrong("E113", "a name that is no text, or is empty", "put it in quotes")
    if len(set(names)) < len(names):
        raise wrong("E113", "two columns of one name", "rename one of them")
    return tuple(names)


class Csv(Part):
    """How delimited text is written, as far as that is told."""

    delimiter: Annotated[str, BeforeValidator(_delimiter)] = ""
    encoding: Annotated[str, BeforeValidator(_encoding)] = ""
    decimal: Literal[".", ","] = "."
    header: Annotated[bool | tuple[str, ...], BeforeValidator(_header)] = True

    @property
    def dialect(self) -> Dialect:
        """As the reader of delimited text takes it."""
        return Dialect(self.delimiter, self.encoding, self.decimal, self.header)


def as_source(value: Any) -> Any:
    """`source: a` and `source: [a, b]` mean `source: {path: …}`."""
    return value if isinstance(value, dict) else {"path": value}


class SourceKey(Part):
    """path: paths, patterns, addresses or "-". csv: None where nothing is told of it."""

    path: Annotated[tuple[Text, ...], BeforeValidator(one_or_several), Field(strict=False)] = ()
    csv: Csv | None = None


def dialect_of(options: Mapping[str, Any]) -> Dialect:
    """The `csv` options of a call or a command line. Raises SourceError (E820) with each fault."""
    try:
        return Csv.model_validate(dict(options)).dialect
    except ValidationError as error:
        told = [_told(one) for one in error.errors(include_input=False)]
        hint = "csv: {delimiter: …, encoding: …, decimal: …, header: …}"
        raise SourceError("E820", "; ".join(told), "csv", hint) from None


def _told(detail: Any) -> str:
    key = str(detail["loc"][0]) if detail["loc"] else "csv"
    if detail["type"] == "extra_forbidden":
        near = meant_or_all(key, list(Csv.model_fields))
        return f'unknown key "{key}"' + (f" ({near})" if near else "")
    context = detail.get("ctx") or {}
    return f"{key}: {context.get('message') or detail['msg'].lower()}"
