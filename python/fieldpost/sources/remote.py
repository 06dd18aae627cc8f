"""Files behind an address (`s3://`, `gs://`, `https://`, `memory://` …), opened by fsspec."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import SourceError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(://|::)")


def is_address(text: str) -> bool:
    """Whether a text names a file by protocol rather than by path."""
    return _ADDRESS.match(text) is not None


def shown(address: str) -> str:
    """An address without what may be secret in it: credentials, and the query of a signed one."""
    bare = re.sub(r"(?<=://)[^/@]*@", "", address)
    return re.sub(r"^(https?://[^?#]*)[?#].*", r"\1", bare)


class RemoteFile:
    """One file behind an address; `name` is the address without its secrets."""

    has_place = True

    def __init__(self, system: Any, path: str) -> None:
        self._system = system
        self._path = path
        self.name = shown(str(system.unstrip_protocol(path)))

    @contextmanager
    def open(self) -> Iterator[io.BufferedReader]:
        """Its bytes. Raises OSError."""
        with _as_os_error(), self._system.open(self._path, "rb") as opened:
            with_peek = hasattr(opened, "peek")
            yield opened if with_peek else io.BufferedReader(opened)


def remote_files(address: str) -> list[RemoteFile]:
    """The files that an address or a pattern names, in order of name. Raises SourceError."""
    name = shown(address)
    system, path = _file_system(address, name)
    bare = path.partition("?")[0] if path.startswith(("http://", "https://")) else path
    try:
        if any(mark in bare for mark in "*?["):
            return [RemoteFile(system, one) for one in _matching(system, path, name)]
        if system.info(path)["type"] == "directory":
            hint = f"name its files, such as {name.rstrip('/')}/*.ndjson"
            raise SourceError("E801", "a folder is not a source", name, hint)
    except SourceError:
        raise
    except Exception as error:
        raise _refused(error, name) from error
    return [RemoteFile(system, path)]


def _matching(system: Any, path: str, name: str) -> list[str]:
    paths = [one for one in sorted(system.glob(path)) if not system.isdir(one)]
    if not paths and not system.exists(path):
        raise SourceError("E801", "the pattern matches no file", name)
    return paths or [path]


def _refused(error: Exception, name: str) -> SourceError:
    """Why a file cannot be looked at, by the answer of its server where there is one."""
    status = _status(error)
    if status in (401, 403) or isinstance(error, PermissionError):
        told = "access is refused" + (f" (HTTP {status})" if status else "")
        hint = "a signed address ends with its time: sign it anew; else look at the credentials"
        return SourceError("E802", told, name, hint)
    if status not in (None, 404, 410):
        return SourceError("E802", f"the server answers HTTP {status}", name)
    cause = error.__cause__
    is_lost = isinstance(cause, OSError | TimeoutError) and not isinstance(cause, FileNotFoundError)
    if isinstance(error, FileNotFoundError) and not is_lost:
        return SourceError("E801", "no such file", name)
    kind = type(cause if is_lost else error).__name__
    return SourceError("E802", f"cannot be looked at ({kind})", name)


def _status(error: BaseException | None) -> int | None:
    """The HTTP status in an exception or in what it comes from; clouds wrap them."""
    while error is not None:
        status = getattr(error, "status", None)
        if isinstance(status, int):
            return status
        error = error.__cause__ or error.__context__
    return None


def _file_system(address: str, name: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        hint = "pip install 'fieldpost[fsspec]'"
        raise SourceError("E813", "addresses are opened with fsspec", name, hint) from None
    try:
        system, path = url_to_fs(address)
    except ImportError as missing:
        raise SourceError("E813", "a package is missing", name, str(missing)) from None
    except Exception as error:
        known = "fsspec knows no such protocol" if isinstance(error, ValueError) else ""
        told = known or f"cannot be opened ({type(error).__name__})"
        raise SourceError("E806" if known else "E802", told, name) from error
    return system, path


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Clouds raise exceptions of their own; what the caller of an open file knows is OSError."""
    try:
        yield
    except (OSError, EOFError, SourceError, GeneratorExit):
        raise
    except Exception as error:
        raise OSError(0, type(error).__name__) from error
