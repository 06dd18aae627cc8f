"""Fixtures of the tests over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldpost.emulator import Emulator
from recipe import Recipe


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """The recipe's files in a folder of their own, and an emulator that runs."""
    with Emulator() as emulator:
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)
        yield Recipe(tmp_path, emulator)
