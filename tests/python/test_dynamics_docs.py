"""docs/dynamics.md names every error that the core and the sign-in know, and every step."""

from __future__ import annotations

import re
from pathlib import Path

from fieldpost.auth.entra_codes import BY_NUMBER
from fieldpost.dynamics.connection_steps import NAMES

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/dynamics.md").read_text()


def test_every_code_of_the_service_is_explained():
    core = (ROOT / "cpp/src/protocol/dynamics/faults.cc").read_text()
    known = set(re.findall(r'"(0x8[0-9a-f]{7})"', core))
    assert len(known) > 50
    assert known - set(re.findall(r"0x8[0-9a-f]{7}", TEXT)) == set()


def test_every_number_of_the_sign_in_is_explained():
    explained = {int(number) for number in re.findall(r"AADSTS(\d+)", TEXT)}
    assert set(BY_NUMBER) - explained == set()


def test_every_step_of_a_connection_test_is_explained():
    for name in ("address", "tls", "token", *NAMES, "sample", "read back", "delete"):
        assert f"| `{name}` |" in TEXT
