"""The documents that the core compiles, made from a destination's configuration."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from . import destination_schema
from ._core import DocumentError, Plan
from .action_rules import KEYS
from .config import Batch, DestinationConfig, Subscription
from .config_values import EnvText
from .dynamics import document as dynamics
from .dynamics.core_document import PLAIN, columns_document, own_columns, table_document
from .dynamics.tables import OTHERS, TABLES
from .environment_address import former_spelling, former_spellings, is_same, spelling
from .errors import Mistake
from .lookup_tables import filled_and_mistakes
from .send_rules import named_hosts
from .transport import transport_document

NAMELESS = Mistake(
    "E131",
    "events without a file have no place of their own, so the destination must say what tells "
    "them apart",
    "$.event_id",
    hint='write event_id: {"@path": "$.messageId"} or whatever is unique, or event_id: content',
)

# Packs at once, until an answer recommends a number ("Send parallel requests": at least 4).
_START_IN_FLIGHT = 4

# Methods whose requests have no body unless the author writes one (RFC 9110, 9.3).
_BODYLESS = ("GET", "DELETE")


def active(config: DestinationConfig) -> list[Subscription]:
    """The subscriptions that run, in the file's order: position i is subscription i of the core."""
    return [one for one in config.subscriptions if one.enabled]


def compile_plan(config: DestinationConfig) -> Plan:
    """The plan of a destination; raises ConfigError with each mistake's line and column."""
    indices = [i for i, one in enumerate(config.subscriptions) if one.enabled]
    document, mistakes = _with_tables(config, plan_document(config), indices)
    mistakes += destination_schema.unknown_tables(config.reading)
    mistakes += destination_schema.mistakes(config)
    plan = None
    try:
        plan = Plan(json.dumps(document))
    except DocumentError as error:
        mistakes += [_mistake(row, indices) for row in error.args[1]]
    if plan is None or mistakes:
        if config.type == "dynamics365":
            own = dynamics.own_path
            mistakes = [dataclasses.replace(one, path=own(one.path)) for one in mistakes]
        raise config.error(mistakes)
    return plan


def _with_tables(
    config: DestinationConfig, document: dict[str, Any], indices: list[int]
) -> tuple[dict[str, Any], list[Mistake]]:
    """The document with the tables of @lookup that lie in files."""
    mistakes: list[Mistake] = []

    def filled(part: Any, *place: str | int) -> Any:
        whole, found = filled_and_mistakes(part, config.directory, place)
        mistakes.extend(found)
        return whole

    for key in ("event_id", "order_by"):
        if key in document:
            document[key] = filled(document[key], key)
    for index, entry in zip(indices, document["subscriptions"], strict=True):
        for key in ("body", "url", "headers", "order_by"):
            if key in entry:
                entry[key] = filled(entry[key], "subscriptions", index, key)
    return document, mistakes


def _mistake(row: tuple[str, str, str, str, int, int], indices: list[int]) -> Mistake:
    code, message, path, hint, begin, end = row
    span = (begin, end) if end > begin else None
    return Mistake(code, message, _of_file(path, indices), hint=hint, span=span)


def _of_file(path: str, indices: list[int]) -> str:
    """A path of the plan's document, whose subscriptions are those that run."""
    for position, index in reversed(list(enumerate(indices))):
        path = path.replace(f"$.subscriptions[{position}]", f"$.subscriptions[{index}]", 1)
    return path


def place_in_file(config: DestinationConfig, path: str) -> str:
    """Where something of the plan's document stands in the file."""
    place = _of_file(path, [i for i, one in enumerate(config.subscriptions) if one.enabled])
    return dynamics.own_path(place) if config.type == "dynamics365" else place


def nameless(config: DestinationConfig) -> list[Mistake]:
    """What is missing where standard input is a source, whose events have no place of their own."""
    return [NAMELESS] if "-" in config.sources and not config.event_id_given else []


def plan_document(config: DestinationConfig) -> dict[str, Any]:
    """What `Plan` compiles."""
    document: dict[str, Any] = {
        "event_id": config.event_id,
        "subscriptions": [_plan_entry(one) for one in active(config)],
    }
    if config.order_by is not None:
        document["order_by"] = config.order_by
    if config.integrations is not None:
        document["integrations"] = config.integrations
    return document


def _plan_entry(one: Subscription) -> dict[str, Any]:
    entry: dict[str, Any] = {"filter": one.filter.text, "dialect": one.filter.dialect}
    if one.transforms:
        entry["transforms"] = one.transforms
    bodyless = one.action in dynamics.BODYLESS
    bodyless = (
        bodyless or one.method in _BODYLESS or ("body" in one.model_fields_set and one.body is None)
    )
    body = dynamics.body_of(one)
    if body is not None or bodyless:
        entry["body"] = body
    entry["body_required"] = not bodyless
    if isinstance(one.url, dict):
        entry["url"] = one.url
    if any(isinstance(value, dict) for value in one.headers.values()):
        entry["headers"] = one.headers
    if "order_by" in one.model_fields_set:  # null: in no order, whatever the file says
        entry["order_by"] = one.order_by
    if parts := dynamics.particulars(one):
        entry["headers"] = parts
    return entry


def dispatcher_document(
    config: DestinationConfig,
    bulk: dict[str, list[str]] | None = None,
    transport: dict[str, Any] | None = None,
    known: Iterable[str] = (),
) -> dict[str, Any]:
    """What `Dispatcher` is made from. bulk: the bulk messages of tables, where they are known.

    transport: how it connects, where it does. known: addresses that the ledger has targets of.
    """
    delivery = config.delivery
    return {
        "protocol": protocol_document(config, known) | ({"bulk": bulk} if bulk else {}),
        "transport": transport or transport_document(config),
        "retry": delivery.retry.model_dump(mode="json"),
        "limits": limits_document(config),
        "breaker": delivery.breaker.model_dump(mode="json"),
    }


def limits_document(config: DestinationConfig) -> dict[str, Any]:
    """How fast the core may go."""
    requests, window_s = config.budget
    execution_s, execution_window_s = config.execution
    return {
        "max_in_flight": config.delivery.max_in_flight,
        "start_in_flight": _START_IN_FLIGHT if config.packs else 0,
        "adaptive": config.delivery.adaptive,
        "requests_per_window": requests,
        "window_s": window_s,
        "execution_s": execution_s,
        "execution_window_s": execution_window_s,
    }


def protocol_document(config: DestinationConfig, known: Iterable[str] = ()) -> dict[str, Any]:
    """Which protocol speaks to the destination, and what it needs to know.

    known: addresses that the ledger has targets of.
    """
    common = {
        "type": config.type,
        "destination": config.id,
        "on_unconfirmed": config.delivery.on_unconfirmed,
        "retry_statuses": list(config.delivery.retry.statuses),
    }
    if config.type == "webhook":
        batching = config.delivery.batching == "on"
        entries = [_webhook_entry(one, batching) | answers(config, one) for one in active(config)]
        return common | {
            "allow_http": config.allow_http,
            "hosts": hosts(config),
            "idempotency_key": config.idempotency_key or "",
            "subscriptions": entries,
        }
    return common | {
        "operations_per_day": config.delivery.requests_per_day,
        "url": (config.url or "").rstrip("/"),
        "environment": spelling(config.url or ""),
        "former_environments": former_environments(config, known),
        "batching": config.delivery.batching,
        "client_id": getattr(config.auth, "client_id", None) or "",
        "subscriptions": [_dynamics_entry(config, one) for one in active(config)],
        "tables": tables_document(config),
    }


def former_environments(config: DestinationConfig, known: Iterable[str] = ()) -> list[str]:
    """The spellings of the environment, other than today's, that ids of rows may be made of.

    As the file says in `former_urls`; without it, its own url and those that the ledger knows.
    """
    url = config.url or ""
    if config.former_urls is None:
        return former_spellings(url, known)
    today = spelling(url)
    found = dict.fromkeys(
        one for given in config.former_urls for one in (spelling(given), former_spelling(given))
    )
    return [one for one in found if one != today]


def tables_document(config: DestinationConfig) -> dict[str, Any]:
    """The tables that bodies may be for: the standard ones, and those of the file's own schema."""
    tables: dict[str, Any] = {name: table.document() for name, table in TABLES.items()}
    schema = destination_schema.schema_of(config)
    for name, table in schema.tables.items():
        if not schema.is_standard and table.entity_set and not (table.partial and name in tables):
            tables[name] = table_document(schema, table)
        elif name in tables:
            tables[name]["columns"] = columns_document(table, PLAIN)
    for name in OTHERS & tables.keys():
        tables[name]["others"] = True
    return tables


def _dynamics_entry(config: DestinationConfig, one: Subscription) -> dict[str, Any]:
    entry = dynamics.entry(one)
    conversions = destination_schema.conversions_of(one)
    if conversions != PLAIN:
        tables = tables_document(config)
        columns = own_columns(destination_schema.schema_of(config), conversions)
        entry["columns"] = {name: found for name, found in columns.items() if name in tables}
    return entry


def hosts(config: DestinationConfig) -> list[str]:
    """The hosts that an event may choose: those the file names, and `allow_hosts`."""
    named = named_hosts([config.url, *(one.url for one in active(config))])
    return sorted(named | {one.lower() for one in config.allow_hosts})


def answers(config: DestinationConfig, one: Subscription) -> dict[str, Any]:
    """How answers are read: the subscription's own `success` and `message`, else the file's."""
    own = one.model_fields_set
    success = one.success if "success" in own else config.success
    message = one.message if "message" in own else config.message
    read: dict[str, Any] = {}
    if success is not None:
        read["success"] = {"text": success.text, "dialect": success.dialect}
    if message is not None:
        read["message"] = message
    return read


def _webhook_entry(one: Subscription, batching: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": one.id, "method": one.method}
    if isinstance(one.url, str):
        entry["url"] = one.url
    entry["headers"] = {k: v for k, v in one.headers.items() if isinstance(v, str)}
    batch = one.batch or (Batch() if batching else None)
    if batch is not None:
        entry["batch"] = _batch_entry(batch)
    return entry


def _batch_entry(batch: Batch) -> dict[str, Any]:
    """The body around the list as two texts, and where an answer tells of each record."""
    before, after = "[", "]"
    keys = _keys(batch.at)
    if keys:
        mark = "\0here\0"
        body = _with(batch.body, keys, mark)
        begin, end = json.dumps(body, ensure_ascii=False).split(json.dumps(mark))
        before, after = begin + "[", "]" + end
    return {
        "max_records": batch.max_records,
        "max_bytes": batch.max_bytes,
        "open": before,
        "close": after,
        "verdicts": _keys(batch.verdicts),
        "status": batch.status,
        "always": batch.verdicts is not None,
    }


def _keys(path: str | None) -> list[str]:
    """`$.a.b` and `a.b` as keys; `$` alone is none."""
    return [key for key in (path or "").removeprefix("$").split(".") if key]


def _with(body: dict[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    """The body with a value at a path; what stands beside it stays."""
    inside = body.get(keys[0])
    rest = inside if isinstance(inside, dict) else {}
    return body | {keys[0]: _with(rest, keys[1:], value) if keys[1:] else value}


class TargetAddress(NamedTuple):
    """The address to which the ledger's memory of a subscription belongs.

    is_older: whether an address of the ledger is this one as earlier versions knew it, or the same
    file before a reference stood in it. keeps_older: whether the ledger goes on to know the older.
    """

    url: str
    is_older: Callable[[str], bool]
    keeps_older: bool = False


def target_address(config: DestinationConfig, one: Subscription) -> TargetAddress:
    """The address of a target: of what may hold a key, a hash in its place.

    That is a query, and all behind the host where the address came by reference.
    """
    if config.type == "dynamics365":
        return _environment_target(config)
    url, older = _webhook_address(one)
    return TargetAddress(url, lambda known: bool(older) and known == older)


def _environment_target(config: DestinationConfig) -> TargetAddress:
    url, former = config.url or "", config.former_urls or ()
    today = spelling(url)
    return TargetAddress(
        today,
        lambda known: known != today and any(is_same(one, known) for one in (url, *former)),
        keeps_older=True,
    )


def _webhook_address(one: Subscription) -> tuple[str, str]:
    """Today's, and the one before; "" for the same."""
    if not isinstance(one.url, str):
        written = json.dumps(one.url, sort_keys=True)
        hidden = json.dumps(_hashed(one.url), sort_keys=True)
        return hidden, written if written != hidden else ""
    address, mark, query = str(one.url).partition("?")
    written = address + (mark and "?" + _hash(query))
    host = "/".join(address.split("/", 3)[:3])
    if address.removeprefix(host) in ("", "/") and not mark:
        return written, ""
    hidden = f"{host}/***?{_hash(written)}"
    return (hidden, written) if isinstance(one.url, EnvText) else (written, hidden)


def shown_address(config: DestinationConfig, one: Subscription) -> str:
    """An address for people: without its query, and without what came by reference."""
    if config.type != "dynamics365" and not isinstance(one.url, str):
        return "an address that each event gives"
    return target_address(config, one)[0].partition("?")[0]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _hashed(part: Any) -> Any:
    """A directive with hashes in place of what came by reference."""
    if isinstance(part, dict):
        return {key: _hashed(one) for key, one in part.items()}
    if isinstance(part, list):
        return [_hashed(one) for one in part]
    return f"***{_hash(part)}" if isinstance(part, EnvText) else part


def mapping_version(config: DestinationConfig, one: Subscription) -> str:
    """16 hex digits that change with anything that makes a subscription's requests."""
    parts: dict[str, Any] = one.model_dump(
        mode="json", include={"action", "table", "url", "method", "headers", "body", "transforms"}
    )
    parts |= one.model_dump(mode="json", include=set(KEYS), exclude_defaults=True)
    if config.schema_path is not None and config.schema_path.is_file():
        parts["schema"] = hashlib.sha256(config.schema_path.read_bytes()).hexdigest()
    if config.functions_path is not None:
        parts["functions"] = hashlib.sha256(config.functions_path.read_bytes()).hexdigest()
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def shared_address(config: DestinationConfig) -> str:
    """Whose limits a run shares: the environment, or the hosts that are posted to."""
    if config.type == "dynamics365":
        return spelling(config.url or "")
    written = [one.url for one in active(config) if isinstance(one.url, str)]
    origins = {"/".join(url.split("/", 3)[:3]) for url in written}
    return " ".join(sorted(origins)) or config.id


def replay_safe(config: DestinationConfig) -> bool:
    """Whether sending a record again, not knowing if it arrived, has the effect of once."""
    return config.type == "dynamics365" or config.idempotency_key is not None
