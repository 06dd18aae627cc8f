"""Fixtures of the tests over real sockets, and how long Hypothesis searches."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from fieldpost.emulator import Emulator
from recipe import Recipe

settings.register_profile(
    "default",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile(
    "long", settings.get_profile("default"), derandomize=False, max_examples=5000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipe]:
    """The recipe's files in a folder of their own, and an emulator that runs."""
    with Emulator() as emulator:
        monkeypatch.setenv("CID", emulator.client_id)
        monkeypatch.setenv("SECRET", emulator.client_secret)
        yield Recipe(tmp_path, emulator)
