"""The destination file as typed values: what a user may write, and nothing else.

`load` and `parse` find every mistake at once and raise one ConfigError. References such as
{env: NAME} are put in place while parsing, except secrets: those stay references (SecretRef) until
secrets.py reads them. A DestinationConfig pickles as its text and is parsed again on arrival.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
)

from . import config_mistakes, config_values, expressions
from .action_rules import OWN_TABLES
from .auth_scheme import (
    ApiKeyAuth,
    Auth,
    AzureIdentityAuth,
    BasicAuth,
    BearerAuth,
    NoAuth,
    OAuth2Auth,
    Part,
    Signing,
)
from .config_values import (
    Count,
    EnvText,
    Flag,
    Header,
    Number,
    Seconds,
    SecretRef,
    Text,
    Url,
    Whole,
)
from .delimited_text import Dialect
from .enabled_line import set_enabled
from .errors import ConfigError, Mistake
from .ledger_location import is_postgres
from .proxy import Proxy, as_mapping
from .source_key import Csv, SourceKey, as_source
from .yaml_recovery import Recovery
from .yaml_text import NotYaml, YamlText

__all__ = [
    "ApiKeyAuth",
    "AzureIdentityAuth",
    "BasicAuth",
    "BearerAuth",
    "Delivery",
    "DestinationConfig",
    "FilterText",
    "NoAuth",
    "OAuth2Auth",
    "Proxy",
    "Retry",
    "SecretRef",
    "Subscription",
    "load",
    "parse",
    "set_enabled",
]

_ADDRESSES = ("token_url", "authorize_url", "device_url")
Document = Any  # what an author writes under body: any JSON
TextOrDirective = Annotated[Any, BeforeValidator(config_values.text_or_directive)]
Pem = Annotated[SecretRef, BeforeValidator(config_values.pem_reference)]
TopSecret = Annotated[SecretRef, BeforeValidator(config_values.top_reference)]
AllOrText = BeforeValidator(config_values.filter_as_mapping)


class FilterText(Part):
    """A filter's text, and whose reading of it counts."""

    text: Text = "all"
    dialect: Literal["fieldpost", "trigger", "destination"] = "fieldpost"


class Batch(Part):
    """How bodies of several records go together in one request.

    at: keys from the root to the list of bodies, in a body that is otherwise `body`; without it the
    body is the list. verdicts: keys to the list in the answer that tells of each record.
    """

    max_records: Annotated[Whole, Field(ge=1, le=10000)] = 100
    max_bytes: Count = 1_000_000
    at: Text | None = None
    body: dict[str, Any] = Field(default={})
    verdicts: Text | None = None
    status: Text = "status"


class Other(Part):
    """The row that another one is tied to, or owned by."""

    table: Text
    key: Document


class Subscription(Part):
    """Which events matter, and what becomes of them.

    transforms, url, headers, body and the like are kept as written, for the core's compilers.
    success and message are about answers: the object {status, headers, body}.
    key to duplicate_detection are those of Dynamics 365, see docs/dynamics.md.
    """

    name: Text
    id: Text = ""
    enabled: Flag = True
    filter: Annotated[FilterText, AllOrText] = FilterText()
    transforms: list[Any] = Field(default=[])
    action: Literal[
        "send",
        "create",
        "upsert",
        "update",
        "delete",
        "associate",
        "disassociate",
        "assign",
        "set_state",
        "win_opportunity",
        "lose_opportunity",
        "qualify_lead",
    ] = "send"
    # A query and a header may hold a key, so neither is shown.
    url: Annotated[Any, BeforeValidator(config_values.url_or_directive)] = Field(
        default=None, repr=False
    )
    method: Literal["POST", "PUT", "PATCH", "GET", "DELETE"] = "POST"
    headers: dict[Header, TextOrDirective] = Field(default={}, repr=False)
    body: Document = None
    batch: Batch | None = None
    success: Annotated[FilterText | None, AllOrText] = None
    message: Annotated[Any, BeforeValidator(config_values.answer_directive)] = None
    order_by: Annotated[Any, BeforeValidator(config_values.directive_or_none)] = None
    table: Text | None = None
    key: Document = None
    to: Other | None = None
    relationship: Text | None = None
    owner: Other | None = None
    statecode: Document = None
    statuscode: Document = None
    status: Document = None
    make: Annotated[
        tuple[Literal["account", "contact", "opportunity"], ...],
        BeforeValidator(config_values.one_or_several),
        Field(strict=False),
    ] = ()
    nulls: Annotated[Any, BeforeValidator(config_values.nulls)] = "omit"
    on_create: dict[str, Any] | None = None
    if_match: TextOrDirective | None = None
    impersonate: Document = None
    bypass: Annotated[tuple[Literal["sync", "async", "flows"], ...], Field(strict=False)] = ()
    duplicate_detection: Flag = False
    choices: dict[Text, Annotated[int | str, BeforeValidator(config_values.otherwise)]] = Field(
        default={}
    )
    date_zone: Text | None = None
    truncate: Annotated[
        tuple[Text, ...], BeforeValidator(config_values.one_or_several), Field(strict=False)
    ] = ()

    def model_post_init(self, _context: Any) -> None:
        """The id defaults to the name, the table of a message to the one that it is for."""
        if not self.id:
            object.__setattr__(self, "id", self.name)
        if self.table is None and self.action in OWN_TABLES:
            object.__setattr__(self, "table", OWN_TABLES[self.action])


class Retry(Part):
    """When a call is tried again, and when no more; max_attempts 0 means no limit but the time."""

    max_elapsed_s: Annotated[Number, Field(ge=0)] = 14400.0
    max_attempts: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = 0
    wait_initial_s: Annotated[Number, Field(gt=0)] = 1.0
    wait_max_s: Annotated[Number, Field(gt=0)] = 300.0
    statuses: Annotated[
        tuple[Annotated[Whole, Field(ge=400, le=599)], ...], Field(strict=False)
    ] = (408, 425, 429, 500, 502, 503, 504)


class Breaker(Part):
    """When failures are the destination's: so many calls in a row with nothing good between.

    failures: for now, over several records; share: the same of the latest 64 answers; doubts: sent,
    and no whole answer came; refusals: one address refused different records alike. 0: never.
    """

    failures: Annotated[Whole, Field(ge=0, le=1_000_000)] = 16
    share: Annotated[float, BeforeValidator(config_values.share), Field(gt=0)] = 0.9
    doubts: Annotated[Whole, Field(ge=0, le=1_000_000)] = 10
    refusals: Annotated[Whole, Field(ge=0, le=1_000_000)] = 16


class Rate(Part):
    """What the destination allows: so many requests in any window of so many seconds."""

    requests: Count
    window_s: Seconds


class Execution(Part):
    """How long the destination works for one user in any window of so many seconds."""

    seconds: Seconds
    window_s: Seconds = 300.0


# What an environment of Dynamics 365 gives one user on one web server ("Service protection API
# limits"); packs of records come near to it.
_SERVICE_RATE = Rate(requests=6000, window_s=300.0)
_SERVICE_EXECUTION = Execution(seconds=1200.0)


class Delivery(Part):
    """How calls are packed, how many are on the wire, and how long one may take."""

    batching: Annotated[
        Literal["off", "on", "batch", "bulk", "auto"], BeforeValidator(config_values.batching)
    ] = "off"
    max_in_flight: Annotated[Whole, Field(ge=1, le=64)] = 16
    adaptive: Flag = True
    rate: Rate | None = None
    rate_share: Annotated[Number, Field(gt=0, le=1)] = 1.0
    execution: Execution | None = None
    requests_per_day: Count | None = None
    on_unconfirmed: Literal["hold", "resend"] = "hold"
    retry: Retry = Retry()
    breaker: Breaker = Breaker()
    keep: Literal["failed", "all", "none"] = "failed"
    redact: Annotated[
        tuple[Text, ...], BeforeValidator(config_values.one_or_several), Field(strict=False)
    ] = ()
    stop_when: Annotated[float | None, BeforeValidator(config_values.share)] = None
    grace_s: Annotated[Number, Field(ge=0)] = 8.0  # fits into the ten that Docker gives
    proxy: Annotated[Proxy | None, BeforeValidator(as_mapping)] = None
    connect_timeout_s: Seconds = 10.0
    read_timeout_s: Seconds | None = None
    timeout_s: Seconds = 120.0


class DestinationConfig(Part):
    """One destination file, checked. Paths in it are relative to the file's folder."""

    name: Text
    id: Text = ""
    description: str = ""
    enabled: Flag = True
    source: Annotated[SourceKey, BeforeValidator(as_source)] = SourceKey()
    type: Literal["webhook", "dynamics365"]
    url: Url | None = Field(default=None, repr=False)
    former_urls: Annotated[
        Annotated[tuple[Url, ...], Field(strict=False)] | None,
        BeforeValidator(config_values.one_or_several),
        Field(repr=False),
    ] = None
    auth: Auth = NoAuth(type="none")
    functions: Text | None = None
    integrations: Annotated[Text | None, BeforeValidator(config_values.integration)] = None
    schema_file: Text | None = Field(default=None, alias="schema")
    settings: Annotated[dict[str, Any], BeforeValidator(config_values.settings)] = Field(
        default={}, repr=False
    )
    event_id: Annotated[Any, BeforeValidator(config_values.event_id)] = Field(
        default={"@path": "$.messageId"}
    )
    order_by: Annotated[Any, BeforeValidator(config_values.directive_or_none)] = None
    allow_http: Flag = False
    allow_hosts: Annotated[
        tuple[Text, ...], BeforeValidator(config_values.one_or_several), Field(strict=False)
    ] = ()
    signing: Signing = Signing()
    idempotency_key: Annotated[Header | None, BeforeValidator(config_values.key_header)] = None
    success: Annotated[FilterText | None, AllOrText] = None
    message: Annotated[Any, BeforeValidator(config_values.answer_directive)] = None
    ca_file: Text | None = None
    client_cert: Pem | None = None
    client_key: Pem | None = None
    client_key_password: TopSecret | None = None
    subscriptions: Annotated[list[Subscription], Field(min_length=1)]
    delivery: Delivery = Delivery()
    ledger: Annotated[Text | None, BeforeValidator(config_values.ledger)] = None
    tests: Document = Field(default=None, repr=False)  # unit_case.py reads them

    _text: str = PrivateAttr(default="")
    _file: str = PrivateAttr(default="")
    _reading: config_values.Reading = PrivateAttr()
    _ca_path: Path | None = PrivateAttr(default=None)
    _missing: list[Mistake] = PrivateAttr(default=[])
    _strict: bool = PrivateAttr(default=True)

    def model_post_init(self, _context: Any) -> None:
        """The id defaults to the name, the address of a webhook's subscription to the url here."""
        if not self.id:
            object.__setattr__(self, "id", self.name)
        for one in self.subscriptions if self.type == "webhook" else ():
            if one.url is None:
                object.__setattr__(one, "url", self.url)

    @property
    def packs(self) -> bool:
        """Whether records of Dynamics 365 go together."""
        return self.type == "dynamics365" and self.delivery.batching != "off"

    @property
    def budget(self) -> tuple[int, float]:
        """(requests, window in seconds) of this destination's share; 0 requests: no budget."""
        rate = self.delivery.rate or (_SERVICE_RATE if self.packs else None)
        if rate is None:
            return 0, 1.0
        return max(1, int(rate.requests * self.delivery.rate_share)), rate.window_s

    @property
    def execution(self) -> tuple[float, float]:
        """(seconds of work, window in seconds) of its share; 0 seconds: no budget."""
        given = self.delivery.execution or (_SERVICE_EXECUTION if self.packs else None)
        if given is None:
            return 0.0, 300.0
        return given.seconds * self.delivery.rate_share, given.window_s

    @property
    def file(self) -> str:
        """The file's name as it was given; messages begin with it."""
        return self._file

    @property
    def text(self) -> str:
        """The text as it was read."""
        return self._text

    @property
    def directory(self) -> Path:
        """The folder that relative paths of the file start from, absolute."""
        return Path(self._file).absolute().parent

    @property
    def functions_path(self) -> Path | None:
        """The function file, absolute; None without one."""
        return self.directory / self.functions if self.functions else None

    @property
    def schema_path(self) -> Path | None:
        """The saved schema of the environment: `schema`, else beside the file; None without one."""
        return self._reading.schema_path(self.schema_file)

    @property
    def ledger_location(self) -> str:
        """Where the ledger is: a path, or postgresql://…; beside the file if it does not say."""
        if self.ledger and is_postgres(self.ledger):
            return self.ledger  # whose repr may hide it
        return str(self.directory / (self.ledger or f"{Path(self._file).stem}.ledger.db"))

    @property
    def ca_path(self) -> Path | None:
        """Certificates (PEM) of a private authority: `ca_file`, else FIELDPOST_CA_FILE."""
        return self._ca_path

    @property
    def sources(self) -> list[str]:
        """What `source` names, absolute where it is a path; "-" and addresses stay."""
        return [
            one if one == "-" or "://" in one else str(self.directory / one)
            for one in self.source.path
        ]

    def dialect(self, source: Any) -> Dialect | None:
        """How delimited text of a source is written, as this file tells it; None if it does not.

        Standard input holds lines of JSON, unless the file names it as its own source.
        """
        listed = list(source) if isinstance(source, list | tuple) else [source]
        piped = len(listed) == 1 and isinstance(listed[0], str) and listed[0] == "-"
        if self.source.csv is None or (piped and self.sources != ["-"]):
            return None
        return self.source.csv.dialect

    @property
    def event_id_given(self) -> bool:
        """Whether the file itself says what identifies an event."""
        return "event_id" in self.model_fields_set

    @property
    def document_hash(self) -> str:
        """SHA-256 (hex) of the file's data as canonical JSON; comments and layout do not count."""
        data = self._reading.places.data
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def missing(self) -> list[Mistake]:
        """The variables that are not set, of a file that was read with strict=False."""
        return self._missing

    def require(self, *paths: str) -> None:
        """Raise ConfigError where a variable is not set: any, or one at or below these paths."""
        found = [one for one in self._missing if not paths or re.match("|".join(paths), one.path)]
        if found:
            raise ConfigError(found, self._file)

    def locate(self, path: str) -> tuple[int, int]:
        """Line and column of `$.subscriptions[0].body.x`, or of its nearest ancestor."""
        return self._reading.places.locate(path)

    def error(
        self,
        mistakes: list[Mistake],
        kind: Callable[[list[Mistake], str], ConfigError] = ConfigError,
    ) -> ConfigError:
        """An error about this file: each mistake gets the line and column of its path."""
        return kind(self.placed(mistakes), self._file)

    def placed(self, mistakes: list[Mistake]) -> list[Mistake]:
        """Each with the line and column of its path."""
        return [config_mistakes.placed(one, self._reading.places) for one in mistakes]

    @property
    def reading(self) -> config_values.Reading:
        """The file's data, references replaced, and its places."""
        return self._reading

    def __reduce__(self) -> tuple[Any, ...]:
        return parse, (self._text, self._file, None, self._strict)


def load(
    path: str | os.PathLike[str], environ: Mapping[str, str] | None = None, strict: bool = True
) -> DestinationConfig:
    """Read and check a destination file; raises ConfigError with every mistake."""
    name = os.fspath(path)
    return parse(read_text(name), name, environ, strict)


def parse(
    text: str,
    name: str = "destination.yaml",
    environ: Mapping[str, str] | None = None,
    strict: bool = True,
) -> DestinationConfig:
    """Check the text of a destination file; `name` leads messages and anchors relative paths.

    environ: where {env: NAME} is looked up, default os.environ. strict=False: a variable that is
    not set is a mistake only once its value is needed, see `require`.
    """
    examined = examine(text, name, environ, strict=strict)
    if examined.config is None:
        raise ConfigError(examined.mistakes, name)
    return examined.config


class Examined(NamedTuple):
    """A text that was read: its configuration, or every mistake; no reading where it is no YAML."""

    config: DestinationConfig | None
    reading: config_values.Reading | None
    mistakes: list[Mistake]


def examine(
    text: str,
    name: str,
    environ: Mapping[str, str] | None = None,
    kind: type[config_values.Reading] = config_values.Reading,
    strict: bool = True,
) -> Examined:
    """As `parse`, for those who want to go on after a mistake. kind: how references are read."""
    environment = os.environ if environ is None else environ
    try:
        places = YamlText(text.removeprefix("\ufeff"))
    except NotYaml as error:
        return _examine_rest(text.removeprefix("\ufeff"), error.mistake, name, environment)
    reading = kind(places, name, environment)
    config, mistakes = _build(reading)
    if not strict and reading.unset and set(mistakes) == set(reading.missing):
        config = _without_unset(reading) or config
        mistakes = mistakes if config is None else []
    if config is None or mistakes:
        found, _warnings = expressions.findings(reading)
        return Examined(None, reading, config_mistakes.ordered([*mistakes, *found]))
    config._text, config._file, config._reading = text, name, reading
    config._ca_path = reading.ca_path(config.ca_file)
    config._missing, config._strict = reading.missing, strict
    return Examined(config, reading, [])


def _examine_rest(text: str, first: Mistake, name: str, environ: Mapping[str, str]) -> Examined:
    rest = Recovery(text, first)
    if rest.places is None or not isinstance(rest.places.data, dict):
        return Examined(None, None, rest.mistakes)
    reading = config_values.Reading(rest.places, name, environ)
    _config, mistakes = _build(reading)
    found = [*mistakes, *expressions.findings(reading).mistakes]
    sure = [one for one in found if not rest.is_taken_out(one.line)]
    return Examined(None, reading, config_mistakes.ordered([*rest.mistakes, *sure]))


def _without_unset(reading: config_values.Reading) -> DestinationConfig | None:
    """The file as far as its variables are set, if that is a destination at all."""
    try:
        return DestinationConfig.model_validate(reading.resolve_known(), context=reading)
    except ValidationError:
        return None


def _build(reading: config_values.Reading) -> tuple[DestinationConfig | None, list[Mistake]]:
    places = reading.places
    if not isinstance(places.data, dict):
        hint = "begin with name:, type: and subscriptions:"
        return None, [*places.mistakes, places.mistake("E104", "no destination", (), hint)]
    data = reading.resolve()
    found = [*places.mistakes, *reading.missing, *config_mistakes.across(data, reading)]
    config = None
    try:
        config = DestinationConfig.model_validate(data, context=reading)
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False, include_context=True)
        found += config_mistakes.translate(details, data, reading, KEYS)
    if config is not None:
        _keep_origins(config, data)
    return config, found


def _keep_origins(config: DestinationConfig, data: dict[str, Any]) -> None:
    """Let addresses that came by reference keep the type that does not show them."""
    sign_in = data.get("auth")
    for part, given, names in (
        (config, data, ("url", "ledger")),
        (config.auth, sign_in if isinstance(sign_in, dict) else {}, _ADDRESSES),
    ):
        for name in names:
            if isinstance(given.get(name), EnvText):
                object.__setattr__(part, name, given[name])
    for one, written in zip(config.subscriptions, data["subscriptions"], strict=True):
        if config.type == "webhook" and written.get("url") is None:
            object.__setattr__(one, "url", config.url)


def id_of(path: str | os.PathLike[str]) -> str:
    """The id of a destination file, whatever is wrong in it; its stem where it does not tell."""
    name = os.fspath(path)
    try:
        reading = examine(read_text(name), name, None, strict=False).reading
    except ConfigError:
        reading = None
    data = reading.resolved if reading else {}
    told = [data.get("id"), data.get("name"), Path(name).stem]
    return next(one for one in told if isinstance(one, str) and one)


def read_text(name: str) -> str:
    """The text of a destination file; raises ConfigError."""
    problem, hint = "", ""
    try:
        return Path(name).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        problem, hint = f"byte {error.start} is not UTF-8", "save the file as UTF-8"
    except FileNotFoundError:
        problem, hint = "no such file", "look at the path; `fieldpost init` writes a first file"
    except OSError as error:
        problem = f"the file cannot be read ({error.strerror})"
    raise ConfigError([Mistake("E104", problem, hint=hint)], name)


def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(one.alias or name for name, one in model.model_fields.items())


KEYS: dict[str, tuple[str, ...]] = {
    "": _keys(DestinationConfig),
    "subscriptions": _keys(Subscription),
    "batch": _keys(Batch),
    "to": _keys(Other),
    "owner": _keys(Other),
    "filter": _keys(FilterText),
    "delivery": _keys(Delivery),
    "retry": _keys(Retry),
    "proxy": _keys(Proxy),
    "source": _keys(SourceKey),
    "csv": _keys(Csv),
    "signing": _keys(Signing),
    "oauth2": _keys(OAuth2Auth),
    "bearer": _keys(BearerAuth),
    "basic": _keys(BasicAuth),
    "api_key": _keys(ApiKeyAuth),
    "azure_identity": _keys(AzureIdentityAuth),
    "none": _keys(NoAuth),
}
