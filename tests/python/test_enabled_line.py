"""Turning a destination on and off changes one value of its file and nothing else."""

import os
import stat
from pathlib import Path

import pytest

from fieldpost.config import parse, set_enabled
from fieldpost.errors import ConfigError

FILE = """\
# a comment
name: Hook
enabled: true      # the one truth
type: webhook
subscriptions: [{name: All, url: 'https://example.com/in'}]
"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("enabled: true   # kept\nname: a\n", "enabled: false   # kept\nname: a\n"),
        ("enabled: 'yes'\nname: a\n", "enabled: false\nname: a\n"),
        ("enabled : # n\nname: a\n", "enabled : false # n\nname: a\n"),
        ("enabled:\nname: a\n", "enabled: false\nname: a\n"),
        ("# é😀\r\nname: ü # n\r\na: x\r\n", "# é😀\r\nname: ü # n\r\nenabled: false\r\na: x\r\n"),
        ("\ufeffname: a", "\ufeffname: a\nenabled: false"),
        ("a: 1\nname: |\n  b\n  c\n\nd: x\n", "a: 1\nenabled: false\nname: |\n  b\n  c\n\nd: x\n"),
        ('{"name": "a"}\n', '{"enabled": false, "name": "a"}\n'),
        ("  name: a\n  type: x\n", "  name: a\n  enabled: false\n  type: x\n"),
        ("name: a\nenabled: False\n", "name: a\nenabled: False\n"),
    ],
)  # fmt: skip
def test_only_the_enabled_line_changes(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes(before.encode())
    assert set_enabled(path, False) is (before != after)
    assert path.read_bytes().decode() == after
    assert [one.name for one in tmp_path.iterdir()] == ["d.yaml"]


def test_enabling_goes_there_and_back_through_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "d.yaml"
    real.write_text(FILE)
    real.chmod(0o640)
    link.symlink_to(real)
    set_enabled(link, False)
    assert parse(real.read_text()).enabled is False
    set_enabled(link, True)
    assert real.read_text() == FILE
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("text", "mode", "code"),
    [
        (FILE, 0o444, "E105"),
        ("name: a\nenabled: {env: ON}\n", 0o644, "E105"),
        ("type: a\n", 0o644, "E111"),
        ("name: [\n", 0o644, "E101"),
        ("- a\n", 0o644, "E104"),
    ],
)
def test_what_cannot_be_edited_stays_as_it_is(
    tmp_path: Path, text: str, mode: int, code: str
) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(text)
    path.chmod(mode)
    with pytest.raises(ConfigError) as caught:
        set_enabled(path, False)
    assert caught.value.code == code
    assert path.read_text() == text
    assert [one.name for one in tmp_path.iterdir()] == ["d.yaml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files of other users")
def test_the_owner_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(FILE)
    path.chmod(0o640)
    os.chown(path, 0, 12345)
    set_enabled(path, False)
    assert (path.stat().st_uid, path.stat().st_gid) == (0, 12345)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_whose_owner_could_not_stay_is_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "d.yaml"
    path.write_text(FILE)

    def refuse(*_args: object) -> None:
        raise PermissionError(1, "its owner 1:1 could not be kept")

    monkeypatch.setattr("fieldpost.own_file._made_beside", refuse)
    with pytest.raises(ConfigError, match=r"E105.*its owner 1:1 could not be kept"):
        set_enabled(path, False)
    assert path.read_text() == FILE
