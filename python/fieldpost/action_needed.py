"""Who has to do what about a record that ended before it was sent."""

from __future__ import annotations

_DATA = "author of the data: correct the line in its source, then deliver it again"
_MAPPING = "author of the mapping: allow for this event, or filter it out; then deliver again"
_FUNCTION = "author of the functions: mend the function; then deliver again"
_IDENTITY = (
    "author of the data: give each event an id; or author of the destination: name it in event_id"
)
_BY_CODE = {
    "E401": _DATA,
    "E402": _DATA,
    "E403": _MAPPING,
    "E404": _IDENTITY,
    "E405": _DATA,
    "E406": _DATA,
    "E407": _MAPPING,
    "E408": _MAPPING,
    "E409": _DATA,
    "E411": _FUNCTION,
    "E412": _FUNCTION,
}


def action_needed(outcome: str, code: str) -> str:
    """For `invalid` who must act; nobody must for `dropped`."""
    return _BY_CODE.get(code, _MAPPING) if outcome == "invalid" else ""
