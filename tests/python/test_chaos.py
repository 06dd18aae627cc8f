"""The chaos proof dies at each named point, and fails where a form never comes by one."""

import re
import subprocess
import sys
from pathlib import Path

CHAOS = Path(__file__).parent.parent / "chaos"

# Nothing is ever held of what may be sent again, so this form promises too much.
_PROMISES_TOO_MUCH = """
import sys
import run
from child import CRASH_POINTS
from webhook_forms import KeyedWebhook

class PromisesTooMuch(KeyedWebhook):
    points = list(CRASH_POINTS)

run.FORMS = (PromisesTooMuch,)
sys.exit(run.main())
"""
_SURVIVED = r"kills=\d+ cuts=\d+ lost=0 doubled=0 unaccounted=0"


def chaos(*command: str) -> tuple[int, list[str]]:
    options = ["--kills", "24", "--cuts", "1", "--seed", "7"]
    done = subprocess.run(
        [sys.executable, *command, *options], capture_output=True, text=True, cwd=CHAOS
    )
    assert not done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(_SURVIVED, lines[-1]), lines
    return done.returncode, [line for line in lines if "died at" in line]


def test_what_is_packed_into_one_request_dies_at_each_named_point() -> None:
    assert chaos("run.py", "--form", "bulk-create") == (0, [])


def test_a_point_that_no_child_comes_by_fails_the_run_and_is_named() -> None:
    code, told = chaos("-c", _PROMISES_TOO_MUCH)
    assert code == 1
    assert told == [
        "nobody died at keyed: before ledger.hold_unconfirmed",
        "nobody died at keyed: after ledger.hold_unconfirmed",
    ]


def test_a_run_too_short_for_all_points_says_how_many_it_did_not_come_to() -> None:
    code, told = chaos("run.py", "--form", "keyed", "--for", "1")
    assert code == 0
    assert re.fullmatch(r"not died at: \d+ of 22 points, which --verbose tells", told[0])
