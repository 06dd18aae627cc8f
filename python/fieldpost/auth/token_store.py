"""Tokens that outlive a process: in a file of mode 0600, or in the system's keyring.

Refresh tokens are worth a sign-in by a person, so a new one is on the disk before anything is done
with what came along with it. Who reads to renew holds the lock of the store: the kernel's, on a
file, dropped when the process ends however it ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .. import fork
from ..auth_scheme import OAuth2Auth
from ..errors import AuthError
from ..own_file import replace, standing, try_to_replace
from ..secrets import Secret

SERVICE = "fieldpost"  # in the keyring
_ELSEWHERE = "tokens: names another place"


@dataclass(frozen=True)
class Kept:
    """Tokens as they are kept; times are Unix seconds.

    origin: a hash of the refresh token that the destination file refers to, where it does; another
    one there takes the place of what is kept.
    """

    header: Secret | None = None
    refresh_token: Secret | None = None
    renew_at: float | None = None
    ends_at: float | None = None
    origin: str = ""


class TokenStore(Protocol):
    """Where the tokens of one sign-in are kept."""

    place: str  # for messages

    def locked(self) -> AbstractContextManager[None]:
        """A context in which no other process or thread renews these tokens."""

    def read(self) -> Kept:
        """What is kept; nothing at all is Kept()."""

    def write(self, kept: Kept) -> None:
        """Keep this, durably, in place of what was there."""

    def ready(self) -> None:
        """Raise AuthError (E622) where `write` would, before a refresh token is used up."""


class FileTokens:
    """Tokens in a file that only its owner may read. Nothing is opened before it is used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = str(path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As TokenStore says."""
        with _lock(self._path.with_name(self._path.name + ".lock"), self._path):
            yield

    def read(self) -> Kept:
        """As TokenStore says; a file that others may read is refused."""
        try:
            if standing(self._path) is None:
                return Kept()
            with self._path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise _refused(f"{self.place} may be read by others", f"chmod 600 {self.place}")
                return _from_text(file.read().decode(), self.place)
        except FileNotFoundError:
            return Kept()
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or "not UTF-8"
        raise _refused(
            f"{self.place} cannot be read ({problem})", "look at the file's owner and mode"
        )

    def write(self, kept: Kept) -> None:
        """As TokenStore says."""
        self._guarded(lambda: replace(self._path, _to_text(kept).encode()))

    def ready(self) -> None:
        """As TokenStore says."""
        self._guarded(lambda: try_to_replace(self._path))

    def _guarded(self, work: Callable[[], None]) -> None:
        problem = ""
        try:
            work()
        except OSError as error:
            problem = error.strerror or "it cannot be written"
        if problem:
            raise _refused(f"{self.place} cannot be written ({problem})", _ELSEWHERE)


class KeyringTokens:
    """Tokens in the system's keyring, under `name`; the lock is a file in `folder`."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self.place = f"the keyring ({SERVICE}, {name})"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """As TokenStore says."""
        with _lock(self._folder / f"{self._name}.lock", self._folder):
            yield

    def read(self) -> Kept:
        """As TokenStore says."""
        problem, text = "", None
        try:
            text = _keyring().get_password(SERVICE, self._name)
        except AuthError:
            raise
        except Exception as error:  # each system's keyring has exceptions of its own
            problem = type(error).__name__
        if problem:
            raise _refused(
                f"{self.place} cannot be read ({problem})", "tokens: path keeps them in a file"
            )
        return _from_text(text, self.place) if text else Kept()

    def ready(self) -> None:
        """As TokenStore says; a locked keyring is met where it is read."""
        _keyring()

    def write(self, kept: Kept) -> None:
        """As TokenStore says."""
        problem = ""
        try:
            _keyring().set_password(SERVICE, self._name, _to_text(kept))
        except AuthError:
            raise
        except Exception as error:  # as above; its frames hold the tokens
            problem = type(error).__name__
        if problem:
            told = f"{self.place} cannot be written ({problem})"
            raise _refused(told, "tokens: path keeps them in a file")


def open_store(scheme: OAuth2Auth, destination: str, folder: Path) -> TokenStore | None:
    """Where `tokens` of the destination file keeps them; None: in memory only.

    folder: of the destination file, from which a path starts. Nothing is opened or made yet.
    """
    if scheme.tokens is None and scheme.grant == "client_credentials":
        return None
    name = _name(scheme, destination)
    if scheme.tokens == "keyring":
        return KeyringTokens(name, _state_folder())
    if scheme.tokens is not None:
        return FileTokens(folder / scheme.tokens)
    return FileTokens(_state_folder() / f"{name}.json")


def _state_folder() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or _home() / ".local/state"
    return Path(home) / "fieldpost" / "tokens"


def _home() -> Path:
    """The user's folder; a container's user may have none."""
    with suppress(RuntimeError):  # from no HOME and no entry among the users
        return Path.home()
    raise _refused("this user has no home folder to keep tokens in", _ELSEWHERE)


def _name(scheme: OAuth2Auth, destination: str) -> str:
    """A name that another client, scope or address does not share."""
    parts = (destination, scheme.token_url, scheme.client_id, scheme.scope or "", scheme.grant)
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return re.sub(r"[^A-Za-z0-9]+", "-", destination).strip("-")[:40] + "-" + digest


@contextmanager
def _lock(path: Path, like: Path) -> Iterator[None]:
    """Hold the lock; a new file belongs to who owns `like`, who may need it too."""
    problem = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        _give(handle, like)
    except OSError as error:
        problem = error.strerror or "it cannot be made"
    if problem:
        raise _refused(f"{path} cannot be made ({problem})", _ELSEWHERE)
    held = _Held(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        held.close()


class _Held:
    """The file of a lock, which a forked child would go on holding."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        fork.opened(self)

    def let_go(self) -> None:
        """In a forked child: the lock is the parent's."""
        fork.silence(self._handle)

    def close(self) -> None:
        os.close(self._handle)
        fork.closed(self)


def _give(handle: int, like: Path) -> None:
    with suppress(OSError):  # nobody but root can, or needs to
        owner = like.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _to_text(kept: Kept) -> str:
    values = vars(kept) | {"version": 1}
    return json.dumps({key: value for key, value in values.items() if value})


def _from_text(text: str, place: str) -> Kept:
    try:
        values = json.loads(text)
        version = values.pop("version")
        for key in ("header", "refresh_token"):
            if key in values:
                values[key] = Secret(values[key])
        if version == 1:
            return Kept(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        pass  # told below, without what was read
    raise _refused(f"{place} holds something else", "sign in anew: fieldpost connect")


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        pass
    else:
        return keyring
    told, hint = "the library keyring is not installed", "pip install 'fieldpost[keyring]'"
    raise AuthError("E622", told, "$.auth.tokens", hint)


def _refused(message: str, hint: str) -> AuthError:
    return AuthError("E622", message, "$.auth.tokens", hint)
