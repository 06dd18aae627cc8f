"""The compiled core. Private: import from `fieldpost`."""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar, overload

from typing_extensions import Buffer

RowT = TypeVar("RowT", bound=tuple[Any, ...])

class DocumentError(ValueError):
    """args: the text, and a list of (code, message, path, hint, begin, end)."""

    args: tuple[str, list[tuple[str, str, str, str, int, int]]]

class CallFault(ValueError):
    """args: code, message, action needed. This record cannot become a request."""

    args: tuple[str, str, str]

class Chunk:
    """Bytes of one source: whole lines, and perhaps the beginning of one more."""

    def __init__(self, source: str, has_place: bool, capacity: int = 4194304) -> None: ...
    def spare(self) -> memoryview: ...
    def filled(self, bytes: int) -> None: ...
    def finish(self) -> None: ...
    def ready(self) -> bool: ...
    def rest(self) -> Chunk: ...
    def line(self, offset: int) -> bytes:
        """The line that begins at an offset of the source; b"" where none does."""

    def cut(self, events: int) -> int:
        """Keep the first so many events, forget the rest; how many it holds then."""

    def __len__(self) -> int:
        """Bytes held."""

    def lines(self) -> memoryview:
        """The whole lines, read-only; drop the view before the chunk is written to again."""

    def note(self, line: int, why: str) -> None: ...
    @property
    def notes(self) -> list[tuple[int, str]]:
        """(line, why it is no event), where the source knows it better than the line's text."""

    @property
    def start_line(self) -> int: ...
    @property
    def start_offset(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def has_place(self) -> bool: ...

class ArrayLines:
    """A JSON array turned into lines, in place and byte for byte."""

    def turn(self, bytes: Buffer, count: int) -> None: ...
    def finish(self) -> None: ...
    @property
    def fault(self) -> tuple[str, int] | None:
        """("early_end", "missing_item" or "after_end", byte offset) of the first one."""

class EventLines:
    """Values that are spread over lines made one line each, in place and byte for byte; a byte
    order mark at the start of a line becomes blanks."""

    def turn(self, bytes: Buffer, count: int) -> int:
        """How many bytes are decided; the rest is handed over again in front of the next."""
    @property
    def open_since(self) -> int | None:
        """The byte offset of a value of several lines that has not ended."""

class Batch:
    """Records to deliver, and the events that end before delivery."""

    def __len__(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def received(self) -> int: ...
    @property
    def by_place(self) -> int:
        """Of the received, the events that only their place in a source tells apart."""

    def keys(self) -> list[tuple[int, str, int, int, int]]:
        """(subscription, event id, its 64-bit hash, line, offset) of each record."""

    def rows(self, kind: type[RowT], targets: Sequence[tuple[int, str]]) -> list[RowT]:
        """`kind`(target, event id, hash, source, line, offset, mapping) of each record, by the
        (target, mapping) of each subscription."""

    def ended(self) -> list[tuple[int, str, int, int, int, str, str, str]]:
        """(subscription, event id, hash, line, offset, invalid or dropped, code, message)."""

    def former_ids(self) -> list[tuple[str, str]]:
        """(event id, the id that earlier versions knew it by) of those that had another."""

    def go_by_former(self, subscription: int, event_ids: Sequence[str]) -> None:
        """Call these events of a subscription by their former ids."""

    def filtered_hashes(self, subscription: int) -> bytes:
        """One native 64-bit hash of the event id for each event the filter refused."""

    def body(self, index: int) -> bytes: ...
    def url(self, index: int) -> bytes:
        """The record's own address; b"" where the subscription's is fixed."""

    def headers(self, index: int) -> bytes:
        """JSON of the record's own headers; b"" where the subscription's are fixed."""
    def bodies(self, subscription: int | None = None) -> bytes:
        """The bodies as lines, in order."""

    def explain(self, chunk: Chunk) -> None:
        """What the chunk's notes say is why those lines are invalid (E409)."""

    def tallies(self) -> list[tuple[int, int, int, int]]:
        """(records, filtered, dropped, invalid) of each subscription."""

class Chosen:
    """Events that at least one subscription wants, before their function has run."""

    def __len__(self) -> int: ...
    def events(self) -> list[bytes]: ...
    def wanted_by(self) -> list[list[int]]:
        """The subscriptions of each of the events."""

class Filter:
    """A query, compiled. Answers: (0 no, 1 yes, 2 no event; code, message, byte; explanation)."""

    def __init__(self, text: str, dialect: str = "fieldpost") -> None: ...
    def matches(
        self, event: bytes | bytearray | memoryview
    ) -> tuple[int, str, str, int, bytes]: ...
    def explain(
        self, event: bytes | bytearray | memoryview
    ) -> tuple[int, str, str, int, bytes]: ...
    def matches_lines(self, ndjson: bytes | bytearray | memoryview) -> bytes: ...

class Plan:
    """All subscriptions of a destination, compiled from a JSON document."""

    def __init__(self, document: str) -> None: ...
    def process(self, chunk: Chunk) -> Batch: ...
    def process_event(self, event: bytes) -> Batch: ...
    def select(self, chunk: Chunk) -> Chosen: ...
    def recall(
        self, source: str, events: Sequence[tuple[int, int, bytes, bytes, Sequence[int]]]
    ) -> Chosen:
        """(line, offset, event id, text, subscriptions) of events, for render()."""

    def render(
        self, chosen: Chosen, results: Sequence[bytes | tuple[str, str] | tuple[str, str, str]]
    ) -> Batch: ...
    def profile(self, chunk: Chunk, mapped: bool = True) -> Profile: ...
    def profile_changed(
        self,
        chosen: Chosen,
        results: Sequence[bytes | tuple[str, str] | tuple[str, str, str]],
        profile: Profile,
    ) -> None: ...

class Profile:
    """What events have of what a plan looks for; see cpp/include/fieldpost/profile.h."""

    def merge(self, later: Profile) -> None: ...
    def json(self) -> str: ...

class EventFault(ValueError):
    """args: code and message."""

class Lines:
    """Bodies of lines; `text` is a view of all of them, each ended by a newline."""

    def __len__(self) -> int: ...
    @property
    def received(self) -> int: ...
    @property
    def text(self) -> memoryview: ...
    @property
    def line_numbers(self) -> list[int]: ...
    def invalid(self) -> list[tuple[int, int, str, str]]:
        """(line, offset, code, message) of the lines that failed."""

class Expression:
    """A mapping compiled from JSON text, perhaps behind a filter."""

    def __init__(
        self, mapping: str, filter: str | None = None, dialect: str | None = None
    ) -> None: ...
    def apply(self, event: Buffer) -> bytes: ...
    def apply_lines(self, text: Buffer) -> Lines: ...
    def paths(self) -> list[str]: ...
    def warnings(self) -> list[tuple[str, str, str, str]]: ...

def check_mapping(
    mapping: str, path: str, is_body: bool = True
) -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str, str, str]]]:
    """Mistakes and warnings, each (code, message, path, hint), of JSON at a path."""

def check_transforms(
    transforms: str, path: str
) -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str, str, str]]]:
    """The same of a list of transforms."""

def directive_help() -> list[tuple[str, bool, str, str, str, str]]:
    """(name, whether Segment has it, help, example, event, body) of each directive."""

def filter_help() -> list[tuple[str, str, str, str, str, str]]:
    """(condition or function, name, help, example, an event it takes, one that it does not)."""

OutcomeRow = tuple[str, str, int, int, str, str, str, str, str, float, int, int]
"""outcome, effect, attempts, http_status, code, message, action_needed, record_id, request_id,
latency_ms, in_doubt, claim."""

class Dispatcher:
    """Delivers records: encodes, sends, decodes, retries, paces."""

    LONGEST_WAIT_S: ClassVar[float]
    PACK_AIM_S: ClassVar[float]

    def __init__(self, document: str) -> None: ...
    def offer(self, batch: Batch, offers: Sequence[tuple[int, int, float, int, bool, int]]) -> None:
        """Records as (place in the batch, claim, seconds since the first try, attempts, in doubt,
        tries in this run)."""

    def offer_new(self, batch: Batch, first: int, count: int, claim: int) -> None:
        """So many records one behind the other, never tried; `claim` is the first one's."""

    @overload
    def settle(
        self, timeout_s: float
    ) -> tuple[list[OutcomeRow], list[tuple[OutcomeRow, float, int]]]:
        """Delivered records; and the others, each with the seconds until it is to be offered again
        (negative: not in this run) and its tries in this run."""

    @overload
    def settle(
        self, timeout_s: float, kind: type[RowT]
    ) -> tuple[list[RowT], list[tuple[RowT, float, int]]]:
        """The same, as rows of this kind of tuple."""

    def authorize(self, header: str, name: str = "Authorization") -> None: ...
    def sign_with(self, standard_webhooks: bytes, segment: bytes) -> None: ...
    def hide(self, text: str) -> None: ...
    def stop(self) -> None: ...
    def hang_up(self) -> None: ...
    def allow(self, max_in_flight: int, requests_per_window: int, starts: int = -1) -> None: ...
    def count_started(self, requests: int) -> None: ...
    def hold(self, seconds: float) -> None: ...
    def preview(self, batch: Batch, index: int) -> dict[str, Any]:
        """The request of a record; `then`: those that may follow, each with its `when`."""

    def weigh(self, batch: Batch) -> list[tuple[int, int]]:
        """What the destination counts for each record's request; 0 where none can be made."""

    def allow_operations(self, in_all: int) -> None: ...
    @property
    def operations(self) -> int: ...
    @property
    def used_up(self) -> bool: ...
    @property
    def capacity(self) -> int: ...
    @property
    def started(self) -> int: ...
    @property
    def held_s(self) -> float: ...
    @property
    def throttled_s(self) -> float: ...
    def traffic(self) -> list[tuple[int, list[int]]]:
        """(tries, latency buckets) of each subscription; see latencies.py."""
    @property
    def token_wanted(self) -> bool: ...
    @property
    def outstanding(self) -> int: ...
    @property
    def room(self) -> int: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def trouble(self) -> tuple[int, str, str]:
        """Tries that came to nothing and are followed by another; code and message of the last."""

    @property
    def openings(self) -> list[tuple[str, float, float, str, str]]:
        """Targets that answer only failures: (scheme and host, seconds since then, seconds to the
        next probe, code and message of the last failure)."""

    @property
    def has_one_target(self) -> bool:
        """True where all calls go to one scheme, host and port."""

    @property
    def well_ago_s(self) -> float:
        """Seconds since an answer showed that the only target is at work; negative: none did."""

    def follow(self, since_s: float, next_probe_s: float) -> None:
        """Another run found the target failing so many seconds ago, and probes it in so many."""

    def release(self) -> None:
        """A probe of another run had a good answer."""

    @property
    def lacks(self) -> list[tuple[str, str]]: ...
    @property
    def paused(self) -> list[tuple[int, str, str, str]]: ...
    @property
    def pause_code(self) -> str: ...
    @property
    def pause_message(self) -> str: ...

def settled_values(
    settled: list[RowT], packs: Sequence[tuple[Any, ...]]
) -> tuple[list[tuple[bool, list[Any], list[Any]]], list[RowT], list[bytes]]:
    """What a ledger binds for the outcomes of its packs of claims.

    packs: (first claim, keys, moment, a byte for each that is not 0 while it is open), by their
    first claims. Returns groups of rows that are alike, as (whether their record and request ids
    are, too; outcome, effect, attempts, http_status, code, message, action_needed, in_doubt,
    target, source, mapping and those ids; event_id, hash, line, offset, moment, latency_ms, claim
    and else those ids of each); the rows of no pack; what is open in each pack then.
    """

def claims_text(keys: list[RowT], moment: str) -> str:
    """A JSON array of the keys, each with this number at its end."""

def are_plain(keys: list[RowT], longest: int) -> bool:
    """Whether every event id is so short, and has no NUL."""

def exchange(request: dict[str, Any], transport: str) -> dict[str, Any]:
    """One blocking request with the core's own transport."""

def count_distinct(arrays: Sequence[bytes], without: bytes) -> int: ...
