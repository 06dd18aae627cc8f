"""Reads: query options or FetchXML → SQL → JSON with the service's annotations."""

from .aggregate import Aggregation
from .annotation import Wanted
from .filter import Asker
from .options import Query, literal_of, parsed_query
from .read import Reader

__all__ = [
    "Aggregation",
    "Asker",
    "Query",
    "Reader",
    "Wanted",
    "literal_of",
    "parsed_query",
]
