"""What can go wrong before or beside the stream; what happens to one event is an outcome instead.

    FieldpostError                  .code .message .at .hint
    ├── ConfigError                 .mistakes (= .errors), and .path .line .column of the first one
    │   ├── FilterError             .span
    │   └── MappingError
    ├── SourceError                 .position
    ├── EventError                  .position
    ├── AuthError                   .unreachable
    └── LedgerError

No message holds a secret or a value of an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .short_traceback import short_traceback

CODES: dict[str, str] = {
    # E1xx: the destination file
    "E101": "the file is not YAML 1.2",
    "E102": "a key stands twice in one mapping",
    "E103": "a feature of YAML that fieldpost does not take",
    "E104": "the destination file cannot be read",
    "E105": "the destination file cannot be changed",
    "E110": "an unknown key",
    "E111": "a required key is missing",
    "E112": "a value of the wrong type",
    "E113": "a value that is not allowed here",
    "E114": "a name or an id is used twice",
    "E115": "a key that does not apply here",
    "E116": "plain http to another machine",
    "E117": "not available in this version",
    "E118": "a file that the destination names does not exist",
    "E119": "an unknown table",
    "E120": "a secret is written into the file",
    "E121": "an environment variable is not set",
    "E122": "the file of a secret cannot be read",
    "E123": "a secret is empty, or not usable as it stands",
    "E124": "an address that is not the environment's",
    "E125": "a business key where only others make the rows",
    "E126": "a business key that is meant as an id",
    "E130": "the destination is disabled",
    "E131": "nothing tells the events apart",
    "E140": "a name that no integrations object can mean",
    "E150": "no subscription of that name or id",
    "E151": "two things that cannot be compared",
    "E152": "neither a destination nor a mapping is named",
    # E15x: unit cases
    "E155": "a test case without an event, or with more than one kind of them",
    "E156": "a test case that expects nothing, or two things at once",
    "E157": "a test case for a subscription that is not there",
    "E158": "the events of a test case cannot be read",
    "E159": "a test case with another number of expectations than events",
    # E16x: what surprises, and works; a warning
    "E165": "a sign in a path that does not mean what it looks like",
    "E166": "directives inside a literal, which run",
    "E167": "a member of @merge that takes an earlier value away",
    "E168": "a text or a list that @merge takes apart",
    "E169": "a content type that Segment would overwrite",
    "E170": "not a share",
    "E171": "delivered events cannot be sent again here",
    "E172": "not a length of time",
    "E173": "nothing that a preview could be compared with",
    "E174": "nothing was sent that could be deleted",
    "E180": "a secret is not in the keyring",
    "E181": "a secret's connection cannot be read",
    "E182": "a library that the destination needs is not installed",
    "E183": "keys of a sign-in that do not go together",
    "E184": "a signing secret that is malformed",
    "E185": "no host is named that events may choose",
    "E186": "a batch that cannot be made",
    "E187": "an address of the sign-in that gives no tokens",
    "E188": "a tenant of which no token can be had",
    "E189": "a sign-in of another cloud",
    "E190": "a scope that is not the environment's",
    "E191": "scope and resource in each other's place",
    "E192": "a client id that is no GUID",
    "E193": "a client secret with marks of how it was copied",
    # E2xx: mappings
    "E201": "an unknown directive",
    "E202": "a directive with other keys beside it",
    "E203": "a directive whose argument has the wrong form",
    "E204": "an unknown option of a directive",
    "E205": "a directive that lacks an option",
    "E206": "a mapping nested too deeply",
    "E207": "a directive that comes with a later version",
    "E208": "a mapping that JSON cannot hold",
    "E209": "the table of a @lookup cannot be read",
    # E22x, E23x: what Segment's engine does, and nobody expects; a warning
    "E221": "a whole mapping that is no object",
    "E222": "several directives in one place, of which the first runs",
    "E223": "a key with @ that is copied and does not run",
    "E224": "a $ in a path that does not mean the event",
    "E225": "an else that counts as absent",
    "E226": "exists and blank together",
    "E227": "blank, which asks for what is not blank",
    "E228": "an operator of @case that fails at the first text",
    "E229": "a $ in a replacement that is no plain $",
    "E230": "a pattern2 that does nothing",
    "E231": "a pattern2 that is too long",
    "E232": "a shape that is ignored",
    "E233": "an omitArrays that is neither true nor false",
    "E234": "a mode of @json that gives nothing",
    "E235": "a direction of @merge that acts as right",
    "E236": "text of an event that is scanned for placeholders",
    "E237": "a $ in a placeholder",
    "E238": "a number that may be rounded, as Segment's engine does",
    "E239": "a key by which Segment steers itself, which is sent",
    # E24x: transforms and the integrations object
    "E240": "an unknown transform",
    "E241": "a transform's option with a wrong value",
    "E242": "a transform that lacks an option",
    "E243": "an unknown option of a transform",
    "E244": "a transform dropped the event",
    "E245": "a transform left the event out of its sample",
    "E246": "a transform that cannot be applied to this event",
    "E247": "the event excludes this destination",
    "E248": "a sampler that lets every event through",
    "E249": "a hash that leaves the values as they are",
    # E26x, E27x: bodies, and the schema of Dynamics 365 that they are for
    "E260": "a saved schema that cannot be read, or not be written",
    "E261": "an environment that does not tell its schema",
    "E262": "an unknown column or navigation property",
    "E263": "a name in the wrong case",
    "E264": "a lookup written as a column",
    "E265": "a bind to what the property does not lead to",
    "E266": "rows nested where the service takes none",
    "E267": "a value of the wrong type for its column",
    "E268": "a text that is too long for its column",
    "E269": "a number out of its column's range",
    "E270": "a value that the choice does not have",
    "E271": "a column that only the service writes",
    "E272": "a column that the service requires is missing",
    "E273": "columns that are no alternate key",
    "E274": "a key value that cannot travel in an address",
    "E275": "a time where only a date fits",
    "E276": "a child that is also bound to its parent",
    "E277": "a conversion that does not fit its column",
    "E278": "a date cut out of a time, in a zone nobody named",
    "E279": "a table of which the schema has no columns",
    "E280": "a row that only its id can name",
    "E281": "an upsert in two steps, whose order nothing keeps",
    "E282": "a state that a new row cannot have",
    "E283": "an opportunity that a column would close",
    "E284": "a status reason of another state",
    # E29x: what an author means, and what events there are
    "E290": "a text that looks like a path and is sent as it stands",
    "E291": "a text that looks like a template and is sent as it stands",
    "E292": "a value that YAML reads otherwise than it is written",
    "E293": "a path that is in none of the events",
    "E294": "a path that is null in all of the events",
    "E295": "a value that none of the events has",
    "E296": "a subscription that takes none of the events",
    "E297": "a type that the place has no use for",
    "E298": "a part of an address or of a key that some events lack",
    "E299": "the events of a sample that are no events",
    # E3xx: filters
    "E301": "the filter cannot be read",
    "E302": "a text without its closing quote",
    "E303": "and beside or, without parentheses",
    "E304": "an unknown filter function",
    "E305": "an order comparison with something that is not a number",
    "E306": "a condition that is the same for every event",
    "E307": "a comparison that can never hold",
    "E308": "a filter function with the wrong number of arguments",
    "E309": "a filter function with an argument of the wrong type",
    "E310": "a pattern that matches nothing",
    "E311": "a list without in, or in without a list",
    "E312": "a value that is no condition",
    "E313": "a word without quotes",
    "E315": "an unknown filter dialect",
    "E316": "a filter longer than Segment takes",
    "E320": "Segment cannot read the filter",
    "E321": "Segment drops the negation",
    "E322": "Segment skips a part of the filter",
    "E323": "Segment leaves out a condition",
    "E324": "Segment takes single quotes as part of the text",
    "E325": "Segment's != true and != false let everything pass",
    "E326": "Segment compares with the text null",
    "E327": "Segment groups otherwise than the parentheses",
    "E328": "Segment reads the pattern otherwise",
    "E329": "Segment reads an operator or a value otherwise",
    "E330": "Segment reads the path otherwise",
    "E331": "Segment compares with a path's own text",
    "E332": "Segment writes the number otherwise",
    "E340": "Segment's documentation and evaluator disagree",
    "E341": "Segment's filters have no such path",
    # E4xx: events and functions
    "E401": "not valid JSON",
    "E402": "JSON, but not an object",
    "E403": "the mapping gives no body",
    "E404": "no event id",
    "E405": "nested too deeply",
    "E406": "a line too long to hold in memory",
    "E407": "a directive that cannot be computed for this event",
    "E408": "no address or header for this event",
    "E409": "an event that JSON cannot hold",
    "E410": "the function file cannot be loaded",
    "E411": "a function raised an exception",
    "E412": "a function returned something that is not an event",
    "E413": "a function dropped the event",
    "E414": "a handler that would never be called, or cannot be called",
    # E42x: a message to Dynamics 365
    "E420": "a state or a reason that is no number",
    "E421": "the state is missing",
    "E422": "an activity that closes has nested rows",
    "E423": "the row is closed already, in another way",
    "E424": "a bind to what is no address of a row",
    "E425": "a partition that is no text",
    "E426": "a lookup that is given no row",
    # E5xx: network and destination
    "E501": "the destination cannot be reached",
    "E502": "the certificate is not trusted",
    "E503": "the answer was lost",
    "E504": "nothing was sent",
    "E505": "an answer that cannot be understood",
    "E506": "the destination did not look at the request",
    "E507": "an answer that is none of success",
    "E511": "the event's address cannot be used",
    "E512": "the event's headers cannot be used",
    "E513": "the body is not an object",
    "E514": "the event has no identity to make ids from",
    "E515": "the body brings an id that is no UUID",
    "E516": "a value of a key that cannot stand in an address",
    "E517": "the key of a row is missing, or of another form",
    "E518": "a value that its column does not take",
    "E519": "a bind that names no table",
    "E520": "if_match gives no version",
    "E521": "impersonate gives no user",
    "E522": "an update has nested rows",
    "E523": "a change set of more requests than a day has",
    "E531": "answers are lost again and again",
    "E532": "the destination fails for as long as records are tried",
    # E6xx: sign-in
    "E601": "the sign-in was refused",
    "E602": "the token endpoint cannot be reached",
    "E603": "the token endpoint's answer is not a token",
    "E604": "the token endpoint's certificate is not trusted",
    "E605": "the destination refuses the credentials",
    "E606": "a certificate that is out of its time",
    # E61x: options handed to the core
    "E610": "an unknown option of the core",
    "E611": "an option of the core with a wrong value",
    "E612": "an unknown type of destination",
    "E613": "a part of the core's document is missing or wrong",
    "E614": "the core's document names something that is not there",
    # E62x: grants that a person gives, and what is kept of them
    "E620": "nobody has signed in yet",
    "E621": "the grant is used up or taken back",
    "E622": "the kept tokens cannot be read or written",
    "E623": "the sign-in was not finished",
    "E624": "a certificate that cannot sign",
    "E625": "azure-identity gives no token",
    # E64x: requests that cannot be made of an event
    "E640": "a body that the content type cannot hold",
    "E641": "a host that events may not choose",
    "E642": "a client certificate that cannot be used",
    "E643": "a client certificate that is out of its time",
    # E7xx: ledger
    "E701": "the ledger cannot be opened, read or written",
    "E702": "the ledger is of another version",
    "E703": "the ledger does not understand the question",
    "E704": "a process that was forked while its parent had a ledger open",
    "E705": "the ledger was taken away while a run was at work",
    "E706": "a ledger that lay here before still counts",
    "E707": "the ledger's file is not the one that its -wal belongs to",
    "E708": "events that only their place in a source tells apart; a warning",
    "E720": "the ledger is held by another program",
    "E721": "the ledger is damaged, or is none",
    "E722": "the ledger is read-only",
    "E723": "there is no room for the ledger, or its disk fails",
    "E724": "the ledger's database cannot be reached",
    "E725": "a PostgreSQL ledger without its driver",
    "E726": "a question that could do more than read",
    "E727": "there is no ledger yet",
    "E728": "not something that a ledger can do",
    "E729": "a replay of what was recorded, from a source",
    # E73x: why a run ends before its source does
    "E731": "the run's own time is over",
    "E732": "more fails than stop_when allows",
    "E733": "everything expires: the destination does not recover",
    "E734": "the day's requests of this user are used up",
    "E735": "taken up again by the next delivery",
    "E736": "the destination asks for a wait that is too long for a run",
    # E73x, E74x: the machine that it runs on
    "E737": "standard output is full",
    "E738": "a port that cannot be served",
    "E739": "too many open files",
    "E740": "an extra for metrics is not installed",
    "E741": "a file for metrics that cannot be written",
    # E8xx: sources
    "E801": "no such file, or a pattern that matches nothing",
    "E802": "a source cannot be read",
    "E803": "a compressed file ends too early",
    "E804": "a compressed file is damaged",
    "E805": "not something that events can be read from",
    "E806": "a kind of source that is not read",
    "E810": "an iterable or a table that fails on the way",
    "E811": "a text that is not UTF-8",
    "E812": "a JSON array that is not well formed between its items, or a value without its end",
    "E813": "a package that a source needs is not installed",
    "E814": "columns that cannot be told apart, or have no names",
    "E815": "a column of a type that JSON has no form for",
    "E816": "a line of more than 512 MB",
    "E817": "moments outside of the years 1 to 9999, which are null; a warning",
    "E818": "quotes of delimited text that are not closed",
    "E819": "a doubt about how delimited text is written; a warning",
    "E820": "options of delimited text that do not hold",
}


class Position(NamedTuple):
    """Where an event came from: line counted from 1, offset in (decompressed) bytes."""

    source: str
    line: int | None = None
    offset: int | None = None


@dataclass(frozen=True)
class Mistake:
    """One thing an author got wrong; line and column are counted from 1, path starts with $.

    span: half-open range of characters in a filter's text. file: where line and column are, if
    that is not the document itself.
    """

    code: str
    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    hint: str = ""
    span: tuple[int, int] | None = None
    file: str = ""

    def __str__(self) -> str:
        return sentence(self.code, self.message, self.path, self.hint)


def sentence(code: str, message: str, at: str = "", hint: str = "") -> str:
    """Code, what is wrong, where, and what to do: `E203 unknown directive at $.email; …`."""
    text = f"{code} {message}"
    if at:
        text += f" at {at}"
    return f"{text}; {hint}" if hint else text


class FieldpostError(Exception):
    """The root of every exception that fieldpost raises on purpose."""

    def __init__(self, code: str, message: str, at: str = "", hint: str = "") -> None:
        super().__init__(code, message, at, hint)
        self.code = code
        self.message = message
        self.at = at
        self.hint = hint

    def __str__(self) -> str:
        return sentence(self.code, self.message, self.at, self.hint)

    @property
    def without_code(self) -> str:
        """The text for where its code stands beside it."""
        return str(self).replace(f"{self.code} ", "", 1)

    def _render_traceback_(self) -> list[str]:
        """As IPython shows it in a notebook or its shell: short, with every hint."""
        return short_traceback(self)


class ConfigError(FieldpostError):
    """Everything that is wrong with a document, listed at once.

    file: the document's name, which leads each line of the text.
    """

    def __init__(self, mistakes: Sequence[Mistake], file: str = "") -> None:
        if not mistakes:
            raise ValueError("a ConfigError needs at least one mistake")
        first = mistakes[0]
        super().__init__(first.code, first.message, first.path, first.hint)
        self.args = (list(mistakes), file)
        self.mistakes = list(mistakes)
        self.file = file

    @property
    def errors(self) -> list[Mistake]:
        """The same list as `mistakes`."""
        return self.mistakes

    @property
    def path(self) -> str:
        """Where the first mistake stands in the document: `$.subscriptions[0].filter`."""
        return self.mistakes[0].path

    @property
    def line(self) -> int | None:
        """Line of the first mistake, from 1; None where it is not known."""
        return self.mistakes[0].line

    @property
    def column(self) -> int | None:
        """Column of the first mistake, from 1; None where it is not known."""
        return self.mistakes[0].column

    def __str__(self) -> str:
        return "\n".join(self._lead(mistake) + str(mistake) for mistake in self.mistakes)

    def _lead(self, mistake: Mistake) -> str:
        file = mistake.file or self.file
        place = [file] if file else []
        if mistake.line is not None:
            place += [str(mistake.line), str(mistake.column or 1)]
        return ":".join(place) + ": " if place else ""


class FilterError(ConfigError):
    """A filter that cannot be compiled."""

    @property
    def span(self) -> tuple[int, int] | None:
        """Half-open range of characters in the filter's text."""
        return self.mistakes[0].span


class MappingError(ConfigError):
    """A mapping that cannot be compiled."""


class SourceError(FieldpostError):
    """A source that cannot be read, or not to its end."""

    def __init__(
        self,
        code: str,
        message: str,
        at: str = "",
        hint: str = "",
        position: Position | None = None,
    ) -> None:
        super().__init__(code, message, at, hint)
        self.args = (code, message, at, hint, position)
        self.position = position


class EventError(FieldpostError):
    """One event that cannot be handled, when it was given on its own rather than in a stream."""

    def __init__(
        self,
        code: str,
        message: str,
        at: str = "",
        hint: str = "",
        position: Position | None = None,
    ) -> None:
        super().__init__(code, message, at, hint)
        self.args = (code, message, at, hint, position)
        self.position = position


class AuthError(FieldpostError):
    """No token could be had, so nothing was sent.

    unreachable: the token endpoint did not answer or is ill, so the same may work later;
    otherwise somebody has to change something.
    """

    def __init__(
        self,
        code: str,
        message: str,
        at: str = "",
        hint: str = "",
        unreachable: bool = False,
    ) -> None:
        super().__init__(code, message, at, hint)
        self.args = (code, message, at, hint, unreachable)
        self.unreachable = unreachable


class LedgerError(FieldpostError):
    """The memory between runs cannot be read or written, so nothing more is sent."""
