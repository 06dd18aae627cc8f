"""What may become a row and what becomes of it: bodies, references, conditions, writes."""

from .condition import Condition
from .payload import Node, PayloadReader, parsed
from .reference import Reference, referenced
from .write import Commit, Writer

__all__ = [
    "Commit",
    "Condition",
    "Node",
    "PayloadReader",
    "Reference",
    "Writer",
    "parsed",
    "referenced",
]
