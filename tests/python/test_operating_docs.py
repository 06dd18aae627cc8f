"""docs/operating.md names verbs, options, codes and keys that there are."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import typer.main

from fieldpost.cli import exit_code
from fieldpost.cli.app import app
from fieldpost.errors import CODES

PAGE = (Path(__file__).parents[2] / "docs/operating.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.M | re.S)


def commands() -> list[list[str]]:
    """The arguments of every `fieldpost …` on the page, in blocks and in sentences."""
    told = " ".join(re.findall(r"CMD (\[\"deliver.*?\])", PAGE))
    found = [["fieldpost", *json.loads(told)]]
    texts = [line for _, block in BLOCKS for line in block.splitlines()]
    texts += re.findall(r"`(fieldpost [^`]+)`", PAGE)
    for text in texts:
        for one in re.findall(r"(?:^|[ /(=])(fieldpost (?:deliver|failures|ledger)[^|;)>]*)", text):
            found.append(shlex.split(one, comments=True))
    return found


def options_of(arguments: list[str]) -> tuple[set[str], str]:
    """The options of the verb that a command names, and its name."""
    verb = typer.main.get_command(app)
    name = []
    for one in arguments:
        inside = getattr(verb, "commands", {})
        if one not in inside:
            break
        verb = inside[one]
        name.append(one)
    assert not getattr(verb, "commands", {}), arguments
    return {option for param in verb.params for option in param.opts}, " ".join(name)


def test_every_command_is_one_that_there_is() -> None:
    seen = set()
    for _, *arguments in commands():
        known, name = options_of(arguments)
        seen.add(name)
        assert {one for one in arguments if one.startswith("-")} <= known, arguments
    assert seen >= {"deliver", "failures", "ledger prune"}


def test_every_exit_code_has_its_line() -> None:
    table = PAGE.partition("## Exit codes in scripts")[2]
    told = {
        int(one) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for one in row.split(",")
    }
    own = {
        value
        for name, value in vars(exit_code).items()
        if name.isupper() and isinstance(value, int)
    }
    assert own <= told
    assert told - own <= {129, 143}


def test_every_code_is_in_the_list() -> None:
    assert set(re.findall(r"\bE\d{3}\b", PAGE)) <= CODES.keys()


def test_the_script_is_one_that_bash_reads() -> None:
    scripts = [block for kind, block in BLOCKS if kind == "bash"]
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=30)


def test_every_page_that_it_leads_to_is_there() -> None:
    folder = Path(__file__).parents[2] / "docs"
    headings = {
        re.sub(r"[^a-z0-9 ]", "", one.lower()).replace(" ", "-")
        for one in re.findall(r"^## (.*)", PAGE, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        page, _, heading = target.partition("#")
        assert (folder / page).exists() if page else heading in headings, target
