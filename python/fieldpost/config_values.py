"""The kinds of value in a destination file: how each is checked, and where its references go.

Each checker is given what the YAML holds and either returns the value or raises a
PydanticCustomError whose type is the code of the mistake. None quotes a secret.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from .errors import Mistake
from .ledger_location import is_postgres
from .nearest_name import meant_or_all
from .yaml_text import HALF, YamlText, path_text, scalar
from .yaml_text import Path as YamlPath

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")  # of what is not UTF-8 in the environment

# Here, and in all that stands below, {env: …} is a reference to a secret, which is read late.
_SECRET_NAMES = (
    *("client_secret", "token", "password", "value", "certificate", "certificate_password"),
    *("refresh_token", "token_params", "arguments"),
)
SECRET_PATHS = frozenset(
    (
        *(("auth", name) for name in _SECRET_NAMES),
        ("signing",),
        ("delivery", "proxy", "password"),
        *((name,) for name in ("client_cert", "client_key", "client_key_password")),
    )
)
# What the transport writes; a second one would split the request.
FRAMING = ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


ABSENT: Final = object()  # in place of a value whose key goes


class EnvText(str):
    """A text that came from the environment; its repr does not show it. name: of the variable."""

    name: str

    def __new__(cls, text: str, name: str = "") -> EnvText:
        """The text, and where it came from."""
        made = super().__new__(cls, text)
        made.name = name
        return made

    def __repr__(self) -> str:
        return "'***'"


@dataclass(frozen=True)
class SecretRef:
    """Where a secret is kept: exactly one of env, file, keyring and airflow is given.

    env: a variable; file: an absolute path; keyring: a service, with `user`; airflow: the id of a
    connection, with `field`. path, line, column and document tell where the reference stands.
    """

    env: str | None = None
    file: str | None = None
    keyring: str | None = None
    user: str | None = None
    airflow: str | None = None
    field: str | None = None
    path: str = dataclasses.field(default="", compare=False, repr=False)
    line: int | None = dataclasses.field(default=None, compare=False, repr=False)
    column: int | None = dataclasses.field(default=None, compare=False, repr=False)
    document: str = dataclasses.field(default="", compare=False, repr=False)


class Reading:
    """One file being read: its places, its environment, and the variables it lacks.

    stands_in: whether a text takes the place of a secret that is missing, or of every one.
    """

    stands_in: Literal["never", "missing", "always"] = "never"

    def __init__(self, places: YamlText, name: str, environ: Mapping[str, str]) -> None:
        self.places = places
        self.name = name
        self.environ = environ
        self.missing: list[Mistake] = []
        self.unset: list[YamlPath] = []
        self.stood_in: list[YamlPath] = []  # where something takes the place of a variable
        self.garbled: list[tuple[str, YamlPath]] = []  # variables that are not UTF-8
        self.halves: list[YamlPath] = []  # texts and keys with half of a character
        self.resolved: dict[str, Any] = {}
        data = places.data if isinstance(places.data, dict) else {}
        self.allow_http = self._replaced(data.get("allow_http"), (), []) in (True, "true")

    @property
    def directory(self) -> Path:
        """The folder of the file."""
        return Path(self.name).absolute().parent

    def resolve(self) -> dict[str, Any]:
        """The data with every {env: NAME} replaced, except secrets and what is not set."""
        self.missing, self.unset, self.garbled, self.halves = [], [], [], []
        self.stood_in = []
        self.resolved = self._replaced(self.places.data, (), self.unset)
        for path in self.unset:
            self.missing.append(self.not_set(path))
        for name, path in self.garbled:
            told = f"the environment variable {name} is not UTF-8"
            self.missing.append(self.places.mistake("E123", told, path, "look at how it was set"))
        hint = "write the character itself, or both of its halves"
        for path in self.halves:
            self.missing.append(self.places.mistake("E103", "half of a character", path, hint))
        return self.resolved

    def resolve_known(self) -> dict[str, Any]:
        """The data without what refers to variables that are not set, the sign-in as a whole."""
        data = cast("dict[str, Any]", _without(self.resolve(), (), set(self.unset)))
        if any(path[0] == "auth" for path in self.unset):
            data["auth"] = {"type": "none"}
        return data

    def ca_path(self, written: str | None) -> Path | None:
        """The certificate file: as written, else from FIELDPOST_CA_FILE."""
        chosen = written or self.environ.get("FIELDPOST_CA_FILE")
        return self.directory / chosen if chosen else None

    @property
    def schema_beside(self) -> Path:
        """Where a schema is pulled to, and found, by a file that does not say."""
        return self.directory / f"{Path(self.name).stem}.schema.json"

    def schema_path(self, written: str | None) -> Path | None:
        """The saved schema: as written, else the one beside the file, if it is there."""
        if written:
            return self.directory / written
        return self.schema_beside if self.schema_beside.is_file() else None

    def _replaced(self, value: Any, path: YamlPath, unset: list[YamlPath]) -> Any:
        if isinstance(value, list):
            return [self._replaced(one, (*path, i), unset) for i, one in enumerate(value)]
        if path in SECRET_PATHS or path[:1] == ("tests",):
            return value
        if isinstance(value, str) and HALF.search(value):
            self.halves.append(path)
            return ""
        if not isinstance(value, dict):
            return value
        if variable := reference(value):
            given = self._variable(variable, path)
            if given is not None:
                return given
            unset.append(path)
            return value
        self.halves += [(*path, key) for key in value if HALF.search(key)]
        members = {key: self._replaced(one, (*path, key), unset) for key, one in value.items()}
        whole = {key: one for key, one in members.items() if one is not ABSENT}
        return {key: one for key, one in whole.items() if not HALF.search(key)}

    def _variable(self, name: str, path: YamlPath) -> Any:
        """What {env: name} stands for at a path; None where it is not set."""
        if name not in self.environ:
            return None
        text = self.environ[name]
        if _ESCAPED_BYTE.search(text):
            self.garbled.append((name, path))
            text = ""
        return EnvText(text, name)

    def not_set(self, path: YamlPath) -> Mistake:
        """The mistake (E121) of a place whose variable is not set."""
        line, column = self.places.locate((*path, "env"))
        variable = self.places.data
        for step in (*path, "env"):
            variable = variable[step]
        told = f"the environment variable {variable} is not set"
        return Mistake("E121", told, path_text(path), line, column, f"export {variable}=…")


def _without(value: Any, path: YamlPath, unset: set[YamlPath]) -> Any:
    if isinstance(value, dict):
        items = value.items()
        return {k: _without(v, (*path, k), unset) for k, v in items if (*path, k) not in unset}
    if isinstance(value, list):
        kept = enumerate(value)
        return [_without(v, (*path, i), unset) for i, v in kept if (*path, i) not in unset]
    return value


def reference(value: Any) -> str | None:
    """NAME where the value is exactly {env: NAME}, else None."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("env"), str):
        return value["env"] or None
    return None


def wrong(code: str, message: str, hint: str = "") -> PydanticCustomError:
    """The exception by which a checker refuses a value."""
    return PydanticCustomError(cast("Any", code), "{message}", {"message": message, "hint": hint})


def _from_environment(value: Any) -> Any:
    if not isinstance(value, EnvText):
        return value
    try:
        return scalar(value.strip())
    except ValueError:
        return value


def _filled(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise wrong("E113", "an empty text", "write a value or remove the key")
    return value


def is_loopback(host: str) -> bool:
    """True where a host can only mean this machine: localhost, or an address of loopback.

    A name that only looks like such an address, as 127.example.com does, may lead anywhere.
    """
    if host.lower().removesuffix(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # ::ffff:127.0.0.1
    return (mapped or address).is_loopback


def _url(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        host, secret, _port = parts.hostname, parts.password, parts.port
    except ValueError:
        raise wrong("E113", "not a URL", "write it as https://host/path") from None
    if parts.scheme not in ("http", "https") or not host or re.search(r"[\s\x00-\x1f]", value):
        hint = "write it as https://host/path"
        if value != value.strip() and not re.search(r"\s", value.strip()):
            hint = "remove the blanks around it"
        raise wrong("E113", "not an http or https URL", hint)
    if secret is not None:
        raise wrong("E120", "a password inside a URL", "use auth: {type: basic, …} instead")
    allowed = isinstance(info.context, Reading) and info.context.allow_http
    if parts.scheme == "http" and not (allowed or is_loopback(host)):
        hint = "write https://, or allow_http: true where you insist"
        raise wrong("E116", "plain http would send events and tokens unencrypted", hint)
    return value


def text_or_directive(value: Any) -> Any:
    """A header's value: a text, or a directive object."""
    if isinstance(value, str):
        if re.search(r"[\r\n\x00]", value):
            raise wrong("E113", "a line end inside a header", "keep it on one line")
        if re.search("[\x01-\x08\x0b-\x1f\x7f\ud800-\udfff]", value):
            raise wrong("E113", "a character that no header can carry", "look at how it was copied")
        return value
    if isinstance(value, dict) and value:
        return value
    raise wrong("E112", "expected a text or a directive", 'quote it, or write {"@path": …}')


def url_or_directive(value: Any, info: ValidationInfo) -> Any:
    """A subscription's address: a URL, or a directive object that gives one for each event."""
    if isinstance(value, dict) and value:
        return value
    if not isinstance(value, str):
        raise wrong("E112", "expected a URL or a directive", 'such as {"@path": "$.context.url"}')
    return _url(_filled(value), info)


def filter_as_mapping(value: Any) -> Any:
    """`filter: text` means `filter: {text: text}`."""
    return {"text": value} if isinstance(value, str) else value


def one_or_several(value: Any) -> Any:
    """`source: a` means `source: [a]`."""
    return [value] if isinstance(value, str) else value


def batching(value: Any) -> Any:
    """off, on, batch, bulk or auto; true and false are on and off."""
    value = _from_environment(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    if value in ("true", "false"):
        return "on" if value == "true" else "off"
    if value in ("off", "on", "batch", "bulk", "auto"):
        return value
    hint = "on and true, off and false mean the same; dynamics365 takes batch, bulk and auto"
    raise wrong("E113", "expected on, off, batch, bulk or auto", hint)


def otherwise(value: Any) -> Any:
    """What becomes of a label that a choice does not have."""
    value = _from_environment(value)
    if value in ("reject", "omit") or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise wrong("E113", "expected reject, omit or a number of the choice")


def nulls(value: Any) -> Any:
    """The words omit and clear, or {clear: [column, …]}, which gives the columns as a tuple."""
    if value in ("omit", "clear"):
        return value
    listed = value.get("clear") if isinstance(value, dict) and len(value) == 1 else None
    if isinstance(listed, list) and listed and all(isinstance(one, str) for one in listed):
        return tuple(listed)
    raise wrong("E113", "expected omit, clear or columns", "such as nulls: {clear: [telephone1]}")


def key_header(value: Any) -> Any:
    """The header that carries idempotency keys; true means Idempotency-Key."""
    value = _from_environment(value)
    if isinstance(value, bool):
        return "Idempotency-Key" if value else None
    if isinstance(value, str) and value.lower() in ("authorization", "content-type"):
        raise wrong("E113", "this header has a meaning of its own", "such as Idempotency-Key")
    return value


def scope(value: Any) -> Any:
    """A text, or a list of texts, which means them joined by blanks."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return " ".join(value)
    return value


def redirect_url(value: Any) -> Any:
    """An address of this very machine, where the browser brings the answer."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if value.startswith("http://") and is_loopback(host) and not parts.query and not parts.fragment:
        return value
    hint = "such as http://localhost:8400/callback; register it with the application"
    raise wrong("E113", "expected an http address of this machine", hint)


def credential_name(value: Any) -> Any:
    """The name of a credential's class, looked up where the library is there."""
    try:
        import azure.identity
    except ImportError:
        return value
    names = [one for one in azure.identity.__all__ if one.endswith("Credential")]
    if not isinstance(value, str) or value in names:
        return value
    raise wrong("E113", "azure-identity has no such credential", meant_or_all(value, names))


def event_id(value: Any) -> Any:
    """A directive object, or the word content."""
    if value == "content":
        return value
    return _directive(value, 'a directive or "content"', "$.messageId")


def directive_or_none(value: Any) -> Any:
    """A directive object, or null for none."""
    return None if value is None else _directive(value, "a directive", "$.userId")


def answer_directive(value: Any) -> Any:
    """A directive that finds words in an answer, or null for none."""
    return None if value is None else _directive(value, "a directive", "$.body.error")


def _directive(value: Any, expected: str, example: str) -> Any:
    if isinstance(value, dict) and value:
        return value
    if isinstance(value, str) and value.startswith("$"):
        hint = f'write {{"@path": "{value}"}}'
        raise wrong("E113", "a path needs its directive", hint)
    raise wrong("E113", f"expected {expected}", f'such as {{"@path": "{example}"}}')


def integration(value: Any) -> Any:
    """A destination's name in the integrations object of an event."""
    if value in ("", "All"):
        hint = "write the name that stands beside All, such as Webhooks"
        raise wrong("E140", "expected a destination's name in the integrations object", hint)
    return value


def ledger(value: Any) -> Any:
    """A path, or the address of a PostgreSQL database, whose password stands elsewhere."""
    if isinstance(value, str) and is_postgres(value) and not isinstance(value, EnvText):
        try:
            secret = urlsplit(value).password or re.search(r"[?&]password=", value)
        except ValueError:
            raise wrong("E113", "not an address", "such as postgresql://host/database") from None
        if secret:
            hint = "use PGPASSWORD or ~/.pgpass, or ledger: {env: NAME} for the whole address"
            raise wrong("E120", "a password inside the ledger's address", hint)
    return _filled(value)


def unshown(location: str | os.PathLike[str] | None) -> str | os.PathLike[str] | None:
    """The location of a ledger; a database's address in a type that does not show itself."""
    if isinstance(location, str) and is_postgres(location):
        return EnvText(location)
    return location


def share(value: Any) -> Any:
    """A share from 0 to 1, also written as 5%."""
    value = _from_environment(value)
    if value is None:
        return None
    try:
        return share_of(value)
    except ValueError as error:
        raise wrong("E170", str(error), "write it as 5% or 0.05") from None


def share_of(value: Any) -> float:
    """5%, 0.05 or a number as a share from 0 to 1; raises ValueError with what is wrong."""
    text = str(value).strip()
    percent = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise ValueError("expected a share") from None
    found = number / 100 if percent else number
    if isinstance(value, bool) or not 0 <= found <= 1:
        raise ValueError("expected a share between 0 and 100 %")
    return found


# The kinds of reference, and the key that may stand beside each.
_REFERENCES = {"env": None, "file": None, "keyring": "user", "airflow": "field"}


def secret_reference(value: Any, info: ValidationInfo) -> SecretRef:
    """One of {env: NAME}, {file: path}, {keyring: service, user: name}, {airflow: id, field: name}.

    Anything literal is refused, and never repeated.
    """
    if isinstance(value, SecretRef):
        return value
    name = info.field_name or "secret"
    inside = ("signing",) if name in ("standard_webhooks", "segment") else ("auth",)
    return reference_at(value, (*inside, name), info.context)


def reference_at(value: Any, path: YamlPath, reading: Any) -> SecretRef:
    """The reference that stands at `path`."""
    name = path[-1]
    hint = f"write {name}: {{env: NAME}} or {name}: {{file: path}}"
    if not isinstance(value, dict):
        raise wrong("E120", "a secret does not belong into this file", hint)
    kinds = [kind for kind in _REFERENCES if kind in value]
    companion = _REFERENCES[kinds[0]] if kinds else None
    if len(kinds) != 1 or not set(value) <= {kinds[0], companion}:
        raise wrong("E120", "expected exactly one of env, file, keyring and airflow", hint)
    kind = kinds[0]
    for key, one in value.items():
        if not isinstance(one, str) or not one.strip():
            raise wrong("E112", f"{key} needs a text", hint)
    if kind == "keyring" and "user" not in value:
        raise wrong("E111", "the keyring needs a user", f"write {name}: {{keyring: …, user: …}}")
    return _placed_reference(value, kind, path, reading)


def _placed_reference(value: dict[str, str], kind: str, path: YamlPath, reading: Any) -> SecretRef:
    if not isinstance(reading, Reading):
        return SecretRef(**cast("dict[str, Any]", value))
    given: dict[str, Any] = dict(value)
    if kind == "file":
        given["file"] = str(reading.directory / given["file"])
    written_at = (*path, kind) if _is_mapping(reading.places.data, path) else path
    line, column = reading.places.locate(written_at)
    place = {"path": path_text(path), "line": line, "column": column, "document": reading.name}
    return SecretRef(**given, **cast("dict[str, Any]", place))


def settings(value: Any, info: ValidationInfo) -> Any:
    """Settings of functions. A reference with `secret: true` beside it is read late, and hidden."""
    return _with_references(value, ("settings",), info.context)


def _with_references(value: Any, path: YamlPath, reading: Any) -> Any:
    if isinstance(value, list):
        return [_with_references(one, (*path, i), reading) for i, one in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if value.get("secret") is True and any(kind in value for kind in _REFERENCES):
        named = {key: one for key, one in value.items() if key != "secret"}
        return reference_at(named, path, reading)
    return {key: _with_references(one, (*path, key), reading) for key, one in value.items()}


def _is_mapping(data: Any, path: YamlPath) -> bool:
    for step in path:
        try:
            data = data[step]
        except (TypeError, LookupError):
            return False
    return isinstance(data, dict)


def pem_reference(value: Any, info: ValidationInfo) -> SecretRef:
    """A reference to a text in PEM; a text is the path of its file, and never the PEM itself."""
    if isinstance(value, SecretRef):
        return value
    name = info.field_name or ""
    if isinstance(value, str) and value.strip() and "-----BEGIN" not in value:
        value = {"file": value}
    return reference_at(value, (name,), info.context)


def top_reference(value: Any, info: ValidationInfo) -> SecretRef:
    """A reference to a secret at the top of the file."""
    if isinstance(value, SecretRef):
        return value
    return reference_at(value, (info.field_name or "",), info.context)


_SECRETIVE = re.compile(r"secret|password|passphrase|assertion|private|api_?key|credential", re.I)


def parameters(value: Any, info: ValidationInfo) -> Any:
    """Names with texts or references; a name that sounds secret takes a reference only."""
    if not isinstance(value, dict):
        return value
    read: dict[Any, Any] = {}
    for name, one in value.items():
        if isinstance(one, dict):
            read[name] = reference_at(one, ("auth", info.field_name or "", name), info.context)
        elif isinstance(one, SecretRef):
            read[name] = one
        elif _SECRETIVE.search(str(name)):
            hint = f"write {name}: {{env: NAME}}"
            raise wrong("E120", "a secret does not belong into this file", hint)
        elif isinstance(one, bool | str):
            read[name] = one
        elif isinstance(one, int | float):
            read[name] = str(one)
        else:
            raise wrong("E112", f'expected a text for "{name}"', "or {env: NAME}")
    return read


def _header_name(value: Any) -> Any:
    if isinstance(value, str) and not _TOKEN.match(value):
        raise wrong("E113", "not a header name", "letters, digits and hyphens, no spaces")
    if isinstance(value, str) and value.lower() in FRAMING:
        raise wrong("E113", "this header belongs to the transport", "name another one")
    return value


Text = Annotated[str, BeforeValidator(_filled)]
Url = Annotated[str, BeforeValidator(_url), BeforeValidator(_filled)]
Header = Annotated[str, BeforeValidator(_header_name)]
Flag = Annotated[bool, BeforeValidator(_from_environment)]
Whole = Annotated[int, BeforeValidator(_from_environment)]
Number = Annotated[float, BeforeValidator(_from_environment)]
# What the core can count and wait for.
Count = Annotated[Whole, Field(ge=1, le=1_000_000_000)]
Seconds = Annotated[Number, Field(ge=0.001, le=1_000_000_000)]
