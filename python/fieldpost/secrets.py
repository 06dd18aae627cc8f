"""Secrets, read where they are kept at the moment they are needed, and kept out of texts."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, quote_plus

from .airflow_connection import airflow_field
from .config import SecretRef
from .errors import ConfigError, Mistake

__all__ = [
    "Secret",
    "SecretRef",
    "base64_of",
    "forms",
    "origin",
    "redact",
    "resolve",
    "resolve_bytes",
    "resolve_text",
]

_HALF = re.compile("[\ud800-\udfff]")  # also of what is not UTF-8 in the environment


class Secret(str):
    """A text that does not show itself in a repr and does not travel in a pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; pickle the reference to it")

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        self.__reduce__()


def resolve(ref: SecretRef, environ: Mapping[str, str] | None = None) -> Secret:
    """The secret that a reference names, read anew; raises ConfigError where there is none.

    One line end at the end of a file is not part of the secret.
    """
    value = resolve_text(ref, environ)
    if any(mark in value for mark in "\r\n\0"):
        _refuse(ref, "E123", f"{origin(ref)} holds more than one line", "leave only the secret")
    return value


def resolve_text(ref: SecretRef, environ: Mapping[str, str] | None = None) -> Secret:
    """The same for a secret of several lines, such as a certificate with its key."""
    if ref.env is not None:
        value = _from_environment(ref, environ)
    elif ref.keyring is not None:
        value = _from_keyring(ref)
    elif ref.airflow is not None:
        value = _from_airflow(ref)
    else:
        value = _from_file(ref)
    if not value:
        _refuse(ref, "E123", f"{origin(ref)} is empty", "put the secret there")
    if _HALF.search(value):
        _refuse(ref, "E123", f"{origin(ref)} is not UTF-8", "look at how it was set")
    return Secret(value)


def resolve_bytes(ref: SecretRef, environ: Mapping[str, str] | None = None) -> bytes:
    """The same for a secret that may be no text, such as a certificate in PKCS #12."""
    if ref.file is None:
        return resolve_text(ref, environ).encode()
    data = _bytes_of_file(ref)
    if not data:
        _refuse(ref, "E123", f"{origin(ref)} is empty", "put the secret there")
    return data


def _from_environment(ref: SecretRef, environ: Mapping[str, str] | None) -> str:
    variable = ref.env or ""
    value = (os.environ if environ is None else environ).get(variable)
    if value is None:
        told = f"the environment variable {variable} is not set"
        _refuse(ref, "E121", told, f"export {variable}=…")
    return value


def _from_file(ref: SecretRef) -> str:
    """Without the byte order mark that some editors write, and without the last line end."""
    problem = ""
    try:
        text = _bytes_of_file(ref).decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = "it is not UTF-8"
    if problem:
        hint = "save it as UTF-8, as a text without format"
        _refuse(ref, "E122", f"the file {ref.file} cannot be read ({problem})", hint)
    return text.removesuffix("\n").removesuffix("\r")


def _bytes_of_file(ref: SecretRef) -> bytes:
    problem, data = "", b""
    try:
        data = Path(ref.file or "").read_bytes()
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    if problem:
        hint = "the path is relative to the destination file"
        _refuse(ref, "E122", f"the file {ref.file} cannot be read ({problem})", hint)
    return data


def _from_keyring(ref: SecretRef) -> str:
    problem, value = "", None
    try:
        import keyring

        value = keyring.get_password(ref.keyring or "", ref.user or "")
    except ImportError:
        _refuse(ref, "E182", "the library keyring is not installed", _install("keyring"))
    except Exception as error:  # each system's keyring has exceptions of its own
        problem = type(error).__name__
    if problem:
        told = f"the system's keyring cannot be read ({problem})"
        _refuse(ref, "E180", told, "unlock it, or keep the secret in a file or a variable")
    if value is None:
        hint = f"keyring set {ref.keyring} {ref.user}"
        _refuse(ref, "E180", f"{origin(ref)} is not there", hint)
    return value


def _from_airflow(ref: SecretRef) -> str:
    problem, value = "", None
    try:
        value = airflow_field(ref.airflow or "", ref.field or "password")
    except ImportError:
        _refuse(ref, "E182", "Airflow is not installed here", "run it where the connection is")
    except Exception as error:  # of Airflow, its secret backends and its database
        problem = type(error).__name__
    if problem:
        told = f"the connection {ref.airflow} cannot be read ({problem})"
        _refuse(ref, "E181", told, f"airflow connections get {ref.airflow}")
    return value or ""


def _install(extra: str) -> str:
    return f"pip install 'fieldpost[{extra}]'"


def origin(ref: SecretRef) -> str:
    """Where a reference points, for messages."""
    if ref.env is not None:
        return f"the environment variable {ref.env}"
    if ref.keyring is not None:
        return f"the keyring's {ref.keyring} of {ref.user}"
    if ref.airflow is not None:
        return f"the {ref.field or 'password'} of the connection {ref.airflow}"
    return f"the file {ref.file}"


def _refuse(ref: SecretRef, code: str, message: str, hint: str) -> NoReturn:
    mistake = Mistake(code, message, ref.path, ref.line, ref.column, hint)
    raise ConfigError([mistake], ref.document) from None


def redact(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret replaced by ***, also where it is encoded."""
    found = {form for secret in secrets if secret for form in forms(str(secret))}
    for form in sorted(found, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def forms(secret: str) -> tuple[Secret, ...]:
    """A secret as it is, and as it is encoded on its ways: URL, form, base64, JSON, HTML."""
    raw = secret.encode("utf-8", "surrogatepass")
    percent, form = quote(raw, safe=""), quote_plus(raw)
    coded = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    once = _escaped(secret)
    escaped = [*once, *(two for one in once for two in _escaped(one))]  # JSON told within JSON
    found = [secret, percent, form, quote(raw), *(one.rstrip("=") for one in coded), *escaped]
    found += [_lower_escapes(percent), _lower_escapes(form), escape(secret)]
    found += [one.replace("/", "\\/") for one in escaped]
    return tuple(Secret(one) for one in dict.fromkeys(found))


def _escaped(text: str) -> tuple[str, str]:
    """A text as JSON writes it within quotes, in ASCII and in its own letters."""
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _lower_escapes(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def base64_of(text: str) -> str:
    """The base64 of a text's UTF-8."""
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
