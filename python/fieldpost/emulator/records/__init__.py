"""What may become a row and what becomes of it: bodies, references, conditions, writes."""

from .commit import Commit, User
from .condition import Condition
from .key import PARTITION, RowKey, row_key, shown_id
from .payload import Node, PayloadReader, parsed
from .reference import content, referenced
from .seed import BUSINESS_UNIT, ORGANIZATION, USER, Seeder, named_id
from .write import Writer

__all__ = [
    "BUSINESS_UNIT",
    "ORGANIZATION",
    "PARTITION",
    "USER",
    "Commit",
    "Condition",
    "Node",
    "PayloadReader",
    "RowKey",
    "Seeder",
    "User",
    "Writer",
    "content",
    "named_id",
    "parsed",
    "referenced",
    "row_key",
    "shown_id",
]
