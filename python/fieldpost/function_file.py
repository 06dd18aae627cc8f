"""A user's function file, loaded from its path: its handlers, or every mistake in it."""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import ConfigError, Mistake
from .nearest_name import meant_or_all

TYPES = ("track", "identify", "group", "page", "screen", "alias", "delete")
HANDLERS = tuple(f"on_{kind}" for kind in TYPES)

Handler = Callable[[Any, Any], Any]


def load_handlers(path: Path) -> dict[str, Handler]:
    """The handlers of a file by event type; raises ConfigError.

    The file is run once under a module name of its own; nothing is written beside it.
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
    digest = hashlib.sha256(str(path.absolute()).encode("utf-8", "replace")).hexdigest()
    module = ModuleType(f"_fieldpost_functions_{digest[:16]}")
    module.__file__ = str(path)
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module  # dataclasses and typing look a class's module up
    try:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as error:
        mistake = _import_mistake(path, error)
    else:
        return module
    if before is None:
        del sys.modules[module.__name__]
    else:
        sys.modules[module.__name__] = before
    raise ConfigError([mistake], str(path))


def _import_mistake(path: Path, error: BaseException) -> Mistake:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return Mistake("E410", f"not Python: {error.msg}", "", error.lineno, error.offset)
    if error.__traceback__ is None or error.__traceback__.tb_next is None:
        return Mistake("E410", "not Python: it cannot be compiled", "", 1, 1)
    frames = traceback.extract_tb(error.__traceback__)
    line = next((one.lineno for one in reversed(frames) if one.filename == str(path)), None)
    told, hint = f"it raises {type(error).__name__} when it is loaded", ""
    if isinstance(error, ImportError) and error.name:
        told = f"it imports {error.name}, which fails"
        hint = f"install {error.name.split('.')[0]} beside fieldpost"
    return Mistake("E410", told, "", line, 1 if line else None, hint)


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
