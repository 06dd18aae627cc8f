"""The house checks itself: arrows between layers, codes, stubs, names."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fieldpost
from fieldpost import _core
from fieldpost.errors import CODES

ROOT = Path(__file__).parent.parent.parent
CPP = ROOT / "cpp"
PYTHON = ROOT / "python/fieldpost"

# A layer may include what its row names, and itself.
LAYERS = {
    "base": [],
    "event": ["base"],
    "filter": ["event", "base"],
    "mapping": ["event", "base"],
    "transform": ["event", "base"],
    "plan": ["transform", "mapping", "filter", "event", "base"],
    "http": ["base"],
    "protocol": ["record", "message", "base"],
    "dispatch": ["protocol", "http", "record", "base"],
    "bindings": ["public"],
}
# The layer that each public header belongs to; record.h and message.h have names of their own.
HEADERS = {
    "error": "base",
    "json": "base",
    "position": "base",
    "reference": "base",
    "chunk": "event",
    "array_lines": "event",
    "event_lines": "event",
    "filter": "filter",
    "mapping": "mapping",
    "transforms": "transform",
    "plan": "plan",
    "profile": "plan",
    "expression": "plan",
    "record": "record",
    "message": "message",
    "transport": "http",
    "policy": "http",
    "protocol": "protocol",
    "dispatcher": "dispatch",
}
OWNS = {"plan": ["record"], "http": ["message"]}
LIBRARIES = {
    "simdjson.h": ("event/", "protocol/"),
    "curl/curl.h": ("http/curl_transport.cc", "http/transfer.h"),
    "pybind11": ("bindings/",),
    "unicode/": ("base/",),
}


def layer_of(target: str) -> str:
    if target.startswith("fieldpost/"):
        return HEADERS[Path(target).stem]
    return target.split("/")[0]


def wrong_arrows(source: str, text: str) -> list[str]:
    """The includes of one file under cpp/src that its layer may not have."""
    layer = source.split("/")[0]
    wrong = []
    for target in re.findall(r'^#include "([^"]+)"', text, re.M):
        if "bindings" in LAYERS[layer] or layer == "bindings":
            allowed = target.startswith("fieldpost/")
        else:
            allowed = layer_of(target) in [layer, *OWNS.get(layer, []), *LAYERS[layer]]
        if layer == "protocol" and target in ("base/clock.h", "base/random.h"):
            allowed = False
        if not allowed:
            wrong.append(f"{source} includes {target}")
    for library, homes in LIBRARIES.items():
        used = re.search(rf"^#include <{re.escape(library)}", text, re.M)
        if used and not source.startswith(homes):
            wrong.append(f"{source} includes {library}")
    return wrong


def test_no_include_points_upward():
    sources = sorted((CPP / "src").rglob("*.*"))
    assert len(sources) > 50
    found = [wrong_arrows(str(f.relative_to(CPP / "src")), f.read_text()) for f in sources]
    assert [one for some in found for one in some] == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("event/walker.cc", '#include "mapping/node.h"'),
        ("plan/plan.cc", '#include "fieldpost/dispatcher.h"'),
        ("protocol/dynamics/ids.cc", '#include "fieldpost/transport.h"'),
        ("protocol/webhook/webhook.cc", '#include "base/clock.h"'),
        ("mapping/mapping.cc", "#include <simdjson.h>"),
        ("bindings/plan.cc", '#include "event/walker.h"'),
        ("http/retry.cc", '#include "fieldpost/record.h"'),
    ],
)
def test_a_wrong_include_is_found(source, line):
    assert wrong_arrows(source, line)


def test_public_headers_know_no_library():
    for header in (CPP / "include/fieldpost").glob("*.h"):
        assert not re.search(r"#include <(simdjson|curl|pybind11)", header.read_text()), header


# A module may import what stands left of it.
ROW = [
    "visible_text",
    "short_traceback",
    "errors",
    "own_file",
    "nearest_name",
    "likely_path",
    "terminal",
    "html_table",
    "ledger_location",
    "yaml_text",
    "yaml_recovery",
    "json_text",
    "retry_after",
    "filter",
    "difference",
    "delimited_text",
    "strict_json",
    "lookup_tables",
    "mapping",
    "config_values",
    "auth_scheme",
    "proxy",
    "source_key",
    "secret_marks",
    "environment_address",
    "auth_rules",
    "entra_rules",
    "send_rules",
    "action_rules",
    "config_mistakes",
    "enabled_line",
    "expressions",
    "config",
    "stand_ins",
    "fork",
    "governor",
    "airflow_connection",
    "secrets",
    "redaction",
    "client_certificate",
    "auth",
    "transport",
    "inquiry",
    "step",
    "signing",
    "neighbours",
    "function_file",
    "functions",
    "sources",
    "event_file",
    "ledger",
    "latencies",
    "report",
    "standstill",
    "progress_log",
    "progress",
    "observer",
    "run_log",
    "telemetry",
    "prometheus",
    "dynamics",
    "destination_schema",
    "documents",
    "monitor",
    "by_place",
    "stage",
    "comparison",
    "transformation",
    "unit_case",
    "event_profile",
    "event_findings",
    "sign_in_check",
    "check",
    "bench",
    "unit_test",
    "explain",
    "connection",
    "saved_schema",
    "gone_names",
    "action_needed",
    "bulk_messages",
    "brake",
    "day_count",
    "dead_letters",
    "kept_record",
    "ending",
    "prefetch",
    "admission",
    "former_ids",
    "intake",
    "run",
    "delivery",
    "dry_run",
    "preview",
    "forecast",
    "preview_diff",
    "replay",
    "replay_source",
    "sample",
    "ledger_care",
    "standing",
    "destination",
]
OUTSIDE = ["cli", "emulator", "notebook", "integrations"]
# Public names, and the one way in which text is shown to people.
OPEN_TO_ALL = (
    "fieldpost.",
    "fieldpost.emulator",
    "fieldpost.json_text",
    "fieldpost.terminal",
    "fieldpost.visible_text",
)


def imports(path: Path) -> list[str]:
    """First names of what a file imports from the package itself."""
    depth = len(path.relative_to(PYTHON).parts)
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            found += [(node.module or alias.name).split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fieldpost"):
            found.append("fieldpost." + ".".join((node.module or "").split(".")[1:]))
    return found


def wrong_imports(path: Path) -> list[str]:
    name = path.relative_to(PYTHON).parts[0].removesuffix(".py")
    wrong = []
    for target in imports(path):
        if name in OUTSIDE:
            allowed = target in (*OPEN_TO_ALL, name)
        else:
            known = target == "_core" or (target in ROW and ROW.index(target) <= ROW.index(name))
            allowed = known
        if not allowed:
            wrong.append(f"{path.name} imports {target}")
    return wrong


def test_no_import_points_upward():
    own = (PYTHON / "__init__.py", PYTHON / "__main__.py")
    files = [f for f in sorted(PYTHON.rglob("*.py")) if f not in own]
    assert len(files) > 40
    assert [one for f in files for one in wrong_imports(f)] == []


def test_every_code_of_the_core_is_in_the_list():
    used = set()
    for file in [*CPP.glob("src/**/*.cc"), *PYTHON.rglob("*.py")]:
        if file.name != "errors.py":
            used |= set(re.findall(r'"(E\d{3})"', file.read_text()))
    assert len(used) > 30
    assert used - set(CODES) == set()


def test_the_stub_names_what_the_module_has():
    stub = ast.parse((PYTHON / "_core.pyi").read_text())
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            real = getattr(_core, node.name)
            for member in node.body:
                if isinstance(member, ast.FunctionDef):
                    assert hasattr(real, member.name), f"{node.name}.{member.name}"
        elif isinstance(node, ast.FunctionDef):
            assert hasattr(_core, node.name)
    listed = {node.name for node in stub.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    assert {name for name in vars(_core) if not name.startswith("__")} == listed


def test_public_names_are_all_there():
    assert fieldpost.__all__ == sorted(fieldpost.__all__)
    for name in fieldpost.__all__:
        assert getattr(fieldpost, name) is not None


def test_importing_is_light():
    heavy = ("pydantic", "typer", "rich", "authlib", "requests", "ruamel", "pandas")
    told = subprocess.run(
        [sys.executable, "-c", "import fieldpost, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert not set(told.stdout.split()) & set(heavy)


def test_every_command_is_in_the_readme():
    told = subprocess.run(
        [sys.executable, "-m", "fieldpost", "--help"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    commands = re.findall(r"^│ ([a-z][a-z-]+) {2,}", told.stdout, re.M)
    assert len(commands) >= 11
    readme = (ROOT / "README.md").read_text()
    assert [name for name in commands if f"fieldpost {name}" not in readme] == []


def test_no_file_has_a_name_that_says_nothing():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    stray = r"(^|/)(utils?|helpers?|common|misc|manager)[^/]*\.(py|cc|h)$"
    assert [f for f in listed.stdout.splitlines() if re.search(stray, f)] == []
