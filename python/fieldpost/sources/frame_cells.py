"""The cells of a pandas DataFrame, column by column, as what a RowWriter writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ..errors import SourceError
from .rows import shortest

Cells = Callable[[Any], list[Any]]


def frame_cells(frame: Any, lost: Counter[str], source: str) -> list[Cells]:
    """For each column how its Series becomes a list. lost: by column, moments that became null.

    Raises SourceError with the columns that JSON has no form for.
    """
    found: list[Cells] = []
    formless: list[tuple[str, str]] = []
    for index, name in enumerate(map(str, frame.columns)):
        kind = frame.dtypes.iloc[index]
        if getattr(kind, "kind", "O") in "cV" and not hasattr(kind, "pyarrow_dtype"):
            formless.append((name, str(kind)))
        elif hasattr(kind, "pyarrow_dtype"):
            form = _arrow_form(name, kind.pyarrow_dtype, lost, formless)
            found += [form] if form else []
        else:
            found.append(_singles if _is_single(kind) else _as_it_is)
    if formless:
        named = ", ".join(f'"{name}" of type {kind}' for name, kind in formless)
        told = f"JSON has no form for the column{'s' if len(formless) > 1 else ''} {named}"
        raise SourceError("E815", told, source, "cast it to text, or leave it out")
    return found


def _as_it_is(column: Any) -> list[Any]:
    return column.tolist()  # type: ignore[no-any-return]


def _is_single(kind: Any) -> bool:
    numpy = getattr(kind, "numpy_dtype", kind)
    return getattr(numpy, "kind", "") == "f" and getattr(numpy, "itemsize", 8) < 8


def _singles(column: Any) -> list[Any]:
    """Floats of fewer than 64 bits, in as few digits as tell them apart."""
    numbers = column.to_numpy(
        dtype=getattr(column.dtype, "numpy_dtype", column.dtype), na_value=float("nan")
    )
    return [shortest(one) for one in numbers]


def _arrow_form(
    name: str, kind: Any, lost: Counter[str], formless: list[tuple[str, str]]
) -> Cells | None:
    import pyarrow

    from .arrow_forms import Forms, NoForm

    forms = Forms()
    forms.lost = lost
    try:
        form = forms.of(pyarrow.field(name, kind))
    except NoForm as odd:
        formless.append((name, str(odd)))
        return None

    def cells(column: Any) -> list[Any]:
        chunked = pyarrow.chunked_array(pyarrow.array(column.array))
        return [cell for chunk in chunked.chunks for cell in form(chunk)]

    return cells
