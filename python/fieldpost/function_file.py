"""A user's function file, loaded from its path: its handlers, or every mistake in it."""

from __future__ import annotations

import inspect
import re
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from . import neighbours
from .errors import ConfigError, Mistake
from .nearest_name import meant_or_all

TYPES = ("track", "identify", "group", "page", "screen", "alias", "delete")
HANDLERS = tuple(f"on_{kind}" for kind in TYPES)

Handler = Callable[[Any, Any], Any]


def load_handlers(path: Path) -> dict[str, Handler]:
    """The handlers of a file by event type; raises ConfigError.

    The file is run once, and may import the files beside it (neighbours.py); nothing is written
    beside it.
    """
    if path.suffix in (".js", ".mjs", ".cjs", ".ts"):
        hint = "write the function in Python"
        told = "JavaScript functions are not available in this version"
        raise ConfigError([Mistake("E117", told, hint=hint)], str(path))
    module = _run(path, _source(path))
    mistakes = list(_mistakes(module))
    if mistakes:
        raise ConfigError(mistakes, str(path))
    named = {kind: getattr(module, f"on_{kind}", None) for kind in TYPES}
    return {kind: handler for kind, handler in named.items() if callable(handler)}


def _source(path: Path) -> bytes:
    problem = ""
    try:
        return path.read_bytes()
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    told = f"the function file cannot be read ({problem})"
    raise ConfigError([Mistake("E410", told)], str(path))


def _run(path: Path, source: bytes) -> ModuleType:
    try:
        return neighbours.run(path, source)
    except (Exception, SystemExit) as error:
        mistake = _import_mistake(path, error)
    raise ConfigError([mistake], str(path))


def _import_mistake(path: Path, error: BaseException) -> Mistake:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Mistake("E410", f"not Python: {error.msg}", "", error.lineno, error.offset)
    frames = traceback.extract_tb(error.__traceback__)
    line = next((one.lineno for one in reversed(frames) if one.filename == str(path)), None)
    if line is None:
        return Mistake("E410", "not Python: it cannot be compiled", "", 1, 1)
    told, hint = _blamed(path, error)
    return Mistake("E410", told, "", line, 1, hint)


def _blamed(path: Path, error: BaseException) -> tuple[str, str]:
    """The failure in words, perhaps in a file beside it, and what to do."""
    if isinstance(error, SyntaxError):
        file = Path(error.filename or "").name
        return f"it imports {file}, which is not Python: {error.msg} in line {error.lineno}", ""
    found = neighbours.place(error.__traceback__)
    elsewhere = found is not None and found[0] != str(path)
    where = f", at {Path(found[0]).name}:{found[1]}" if found and elsewhere else ""
    if not isinstance(error, ImportError) or not error.name:
        return f"it raises {type(error).__name__} when it is loaded{where}", ""
    name = neighbours.told_name(error.name)
    if not isinstance(error, ModuleNotFoundError):
        lacks = re.match(r"cannot import name '(\w+)'", error.msg)
        told = lacks[1] if lacks else "a name"
        return f"it imports {told} from {name}, which does not have it{where}", ""
    file = f"put {name.split('.')[0]}.py into the folder of {path.name}"
    hint = file if neighbours.is_own(error.name) else f"install {name.split('.')[0]}, or {file}"
    return f"it imports {name}, which fails{where}", hint


def _mistakes(module: ModuleType) -> Iterator[Mistake]:
    found = False
    for name, value in vars(module).items():
        if name in HANDLERS:
            found = True
            yield from _signature_mistakes(name, value)
        elif _looks_like_handler(name, value, module):
            found = True
            yield _misnamed(name, value)
    if not found:
        hint = "define on_track(event, settings), or another of " + ", ".join(HANDLERS)
        yield Mistake("E414", "no handler in this file", "", 1, 1, hint)


def _looks_like_handler(name: str, value: Any, module: ModuleType) -> bool:
    own = inspect.isfunction(value) and value.__module__ == module.__name__
    return own and (name.startswith("on_") or (name[:2] == "on" and name[2:3].isupper()))


def _misnamed(name: str, value: Any) -> Mistake:
    if name in ("on_batch", "onBatch"):
        told, hint = "batches are not given to functions in this version", "handle single events"
        return Mistake("E117", told, name, _line(value), 1, hint)
    snake = "on_" + name[2:].lstrip("_").lower()
    hint = meant_or_all(snake, HANDLERS)
    return Mistake("E414", "a handler that no event would reach", name, _line(value), 1, hint)


def _signature_mistakes(name: str, value: Any) -> Iterator[Mistake]:
    if not callable(value):
        yield Mistake("E414", "not a function", name, None, None, f"def {name}(event, settings):")
        return
    if inspect.iscoroutinefunction(value) or inspect.isgeneratorfunction(value):
        told, hint = "async functions and generators are not run", f"def {name}(event, settings):"
        yield Mistake("E414", told, name, _line(value), 1, hint)
        return
    try:
        inspect.signature(value).bind({}, {})
    except TypeError:
        told, hint = "it must take two arguments", f"def {name}(event, settings):"
        yield Mistake("E414", told, name, _line(value), 1, hint)
    except ValueError:
        return


def _line(value: Any) -> int | None:
    code = getattr(inspect.unwrap(value), "__code__", None)
    return code.co_firstlineno if code else None
