"""Reads: query options → SQL over one table → JSON with the service's annotations."""

from .options import Query, parsed_query
from .read import Reader

__all__ = ["Query", "Reader", "parsed_query"]
