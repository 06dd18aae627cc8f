"""Files that are replaced: whole or not at all, as who they belong to, and never another thing."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from fieldpost.own_file import replace, replacing, standing, try_to_replace


def put(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "link":
        path.symlink_to("/dev/null")
    else:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))


@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "link", "device"])
def test_a_path_that_is_no_file_is_refused_and_stays(tmp_path: Path, kind: str) -> None:
    if kind == "device" and os.geteuid() != 0:
        pytest.skip("only root makes devices")
    path = tmp_path / "there"
    put(path, kind)
    before = path.lstat()
    for write in (standing, try_to_replace, lambda one: replace(one, b"x")):
        with pytest.raises(OSError, match=f"it is a {kind}, not a file"):
            write(path)
    assert path.lstat() == before
    assert [one.name for one in tmp_path.iterdir()] == ["there"]


def test_a_new_file_is_its_owner_s_alone_unless_told_otherwise(tmp_path: Path) -> None:
    secret, public = tmp_path / "a", tmp_path / "b"
    replace(secret, b"x")
    replace(public, b"x", 0o644)
    assert [stat.S_IMODE(one.stat().st_mode) for one in (secret, public)] == [0o600, 0o644]


def test_mode_and_attributes_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o640)
    os.utime(path, (1, 1))
    try:
        os.setxattr(path, "user.note", b"kept")
        marked = True
    except OSError:
        marked = False  # not every file system has attributes
    replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime > 1
    assert not marked or os.getxattr(path, "user.note") == b"kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
def test_the_owner_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    os.chown(path, 12345, 54321)
    replace(path, b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 54321)


def test_where_the_owner_cannot_stay_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    theirs = os.stat_result((stat.S_IFREG | 0o600, 1, 1, 1, 12345, 54321, 3, 0, 0, 0))
    monkeypatch.setattr("fieldpost.own_file.standing", lambda _path: theirs)

    def refuse(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    for write in (try_to_replace, lambda one: replace(one, b"new")):
        with pytest.raises(PermissionError, match="its owner 12345:54321 could not be kept"):
            write(path)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_block_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def fill() -> None:
        with replacing(path) as scratch:
            scratch.write_bytes(b"half")
            raise RuntimeError("torn")

    with pytest.raises(RuntimeError, match="torn"):
        fill()
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_a_trial_leaves_nothing(tmp_path: Path) -> None:
    try_to_replace(tmp_path / "a")
    assert [one.name for one in tmp_path.iterdir()] == []
    with pytest.raises(FileNotFoundError):
        try_to_replace(tmp_path / "missing/a")
