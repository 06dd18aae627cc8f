"""The modules beside a function file, as its own: `import rates`, `from .rates import eur`.

A function file is a module of a package that nobody else sees, and the files of its folder are the
others. Two function files, also of one folder, have neighbours of their own, so nothing of one name
meets in `sys.modules`. The standard library wins over a neighbour of its name, a neighbour over an
installed package. Each load reads the files anew and writes nothing beside them.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib.util
import sys
import threading
import traceback
from collections.abc import Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

PREFIX = "_fieldpost_functions_"

_NEVER = ("__main__", "fieldpost")

_loading = threading.RLock()
_known: dict[str, dict[str, bool]] = {}  # of each package: is a plain name one of its modules?


class _Loader(SourceFileLoader):
    """Loads a neighbour from its source as it is now: no cache is read or written."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module: ModuleType) -> None:
        _import_from(module, module.__name__.partition(".")[0])
        super().exec_module(module)


class _Finder:
    """Finds modules of function files, in the folders of their packages."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(PREFIX):
            return None
        found = (_in_folder(folder, fullname) for folder in path or ())
        return next((one for one in found if one is not None), None)


def _in_folder(folder: str, fullname: str) -> ModuleSpec | None:
    kinds = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (_Loader, SOURCE_SUFFIXES))
    return FileFinder(folder, *kinds).find_spec(fullname)


def run(path: Path, source: bytes) -> ModuleType:
    """Run a function file as a module of a package of its folder, and give it.

    What was loaded from the file before is forgotten; where the code raises, that is put back, and
    nothing of this load stays.
    """
    with _loading:
        if not any(isinstance(one, _Finder) for one in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
        package, module = _made(path)
        root = package.__name__
        before, known = _taken_out(root), _known.pop(root, {})
        # dataclasses and typing look a class's module up
        sys.modules |= {root: package, module.__name__: module}
        try:
            exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
        except BaseException:
            _taken_out(root)
            sys.modules |= before
            _known[root] = known
            raise
        return module


def _made(path: Path) -> tuple[ModuleType, ModuleType]:
    """The package of a function file, and its module in it, both empty."""
    digest = hashlib.sha256(str(path.absolute()).encode("utf-8", "replace")).hexdigest()
    package = ModuleType(PREFIX + digest[:16])
    package.__path__ = [str(path.absolute().parent)]
    stem = path.stem if path.stem.isidentifier() else "file"
    module = ModuleType(f"{package.__name__}.{stem}")
    module.__file__, module.__package__ = str(path), package.__name__
    _import_from(module, package.__name__)
    return package, module


def _taken_out(root: str) -> dict[str, ModuleType]:
    """The modules of a package, which are no longer known."""
    names = [one for one in list(sys.modules) if one == root or one.startswith(f"{root}.")]
    return {name: sys.modules.pop(name) for name in names}


def _import_from(module: ModuleType, root: str) -> None:
    """Let the module's own import statements find its neighbours."""

    def importing(
        name: str,
        globals: Any = None,
        locals: Any = None,
        fromlist: Any = (),
        level: int = 0,
    ) -> ModuleType:
        first = name.partition(".")[0]
        if level or not _is_neighbour(root, first):
            return builtins.__import__(name, globals, locals, fromlist, level)
        with _loading:
            found = builtins.__import__(f"{root}.{name}", globals, locals, fromlist, 0)
            return found if fromlist else sys.modules[f"{root}.{first}"]

    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": importing}


def _is_neighbour(root: str, first: str) -> bool:
    """True where a plain name means a file of the folder; looked up once for each load."""
    known = _known.setdefault(root, {})
    if first not in known:
        known[first] = _lies_there(root, first)
    return known[first]


def _lies_there(root: str, first: str) -> bool:
    if first in sys.stdlib_module_names or first in _NEVER or root not in sys.modules:
        return False
    found = [_in_folder(folder, f"{root}.{first}") for folder in sys.modules[root].__path__]
    if any(one is not None and one.loader is not None for one in found):
        return True
    # A folder without __init__.py gives way to what is installed under its name.
    is_installed = first in sys.modules or importlib.util.find_spec(first) is not None
    return any(found) and not is_installed


def told_name(name: str) -> str:
    """A module's name as an author wrote it, without the package's own."""
    return name.partition(".")[2] if name.startswith(PREFIX) else name


def is_own(name: object) -> bool:
    """True for the module of a function file, and for one that lies beside it."""
    return isinstance(name, str) and name.startswith(PREFIX) and "." in name


def place(trace: TracebackType | None) -> tuple[str, int] | None:
    """File and line of the innermost frame that is an author's."""
    frames = list(traceback.walk_tb(trace))
    own = [one for one in frames if is_own(one[0].f_globals.get("__name__"))]
    return (own[-1][0].f_code.co_filename, own[-1][1]) if own else None
