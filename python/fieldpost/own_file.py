"""Files of ours: opened only where nobody else prepared them, and replaced whole or not at all.

A link, a device, a pipe or a socket in place of a file would lead what is written elsewhere, so it
is refused with an OSError. A file that is replaced keeps its owner, group, mode and attributes;
where it cannot, it stays as it is.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_ROOM = 16_384  # bytes that a trial writes: as much as tokens ever take


def standing(path: Path) -> os.stat_result | None:
    """The regular file at a path; None where nothing is. Raises OSError where it is another thing.

    The last part of the path is not followed if it is a link.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"it is {_kind(found.st_mode)}, not a file")
    return found


def _kind(mode: int) -> str:
    return next((told for is_it, told in _KINDS if is_it(mode)), "something else")


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """A file beside `path`, to be filled in the block; at its end it takes the place of `path`.

    mode: of a file that is new. Raises OSError, then `path` is as it was; what cannot be replaced
    is refused before the block begins.
    """
    before = standing(path)
    scratch = _made_beside(path, before)
    try:
        yield scratch
        _match(scratch, path, before, mode)
        _sync(scratch, os.O_RDONLY)
        standing(path)  # it may have been put there meanwhile
        scratch.replace(path)
    except BaseException:
        with suppress(OSError):
            scratch.unlink()
        raise
    _sync(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file anew, as `replacing` does."""
    with replacing(path, mode) as scratch:
        scratch.write_bytes(content)


def try_to_replace(path: Path) -> None:
    """Raise OSError where `replace` would: for want of rights or room, or of a file.

    To be called before something is done that would be lost without the file.
    """
    scratch = _made_beside(path, standing(path))
    try:
        scratch.write_bytes(bytes(_ROOM))
        _sync(scratch, os.O_RDONLY)
    finally:
        scratch.unlink()


def _made_beside(path: Path, before: os.stat_result | None) -> Path:
    """An empty file that only its owner may read, who is the owner of what it is to replace."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    try:
        made = os.fstat(handle)
        if before and (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
            os.fchown(handle, before.st_uid, before.st_gid)
    except OSError:
        Path(name).unlink()
        told = f"its owner {before.st_uid}:{before.st_gid} could not be kept" if before else ""
        raise PermissionError(errno.EPERM, told) from None
    finally:
        os.close(handle)
    return Path(name)


def _match(scratch: Path, path: Path, before: os.stat_result | None, mode: int) -> None:
    """Give a new file the mode and the attributes (such as an ACL) of the one that it replaces."""
    if before is None:
        scratch.chmod(mode)
    else:
        shutil.copystat(path, scratch, follow_symlinks=False)
        os.utime(scratch)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_shared(path: Path) -> int:
    """Open or make a file that only this user's processes share; gives its descriptor.

    Its folder is made where it is missing. Raises OSError where folder or file could be somebody
    else's doing: a link, another owner, a folder that others may enter, a second name.
    """
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    return _opened(path, os.O_RDWR | os.O_CREAT)


def look_into_shared(path: Path) -> int:
    """Open such a file to read it; makes nothing. Raises OSError likewise."""
    return _opened(path, os.O_RDONLY)


def _opened(path: Path, how: int) -> int:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise PermissionError(errno.EPERM, f"{path.parent} is not this user's alone")
        flags = how | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would let it wait
        return _ours(os.open(path.name, flags, 0o600, dir_fd=folder), path)
    finally:
        os.close(folder)


def _ours(handle: int, path: Path) -> int:
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_nlink == 1:
        return handle
    os.close(handle)
    raise PermissionError(errno.EPERM, f"{path} is no file of this user alone")
