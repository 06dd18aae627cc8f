"""Runs notebooks top to bottom: `python tests/notebooks.py FILE…`, one line for each.

A notebook passes when it was committed without outputs, every cell runs, and at least one of them
shows an HTML table. The kernel is this interpreter, whatever kernels are installed elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CELL_TIMEOUT_S = 120
KERNEL = "fieldpost-notebooks"


class Refused(Exception):
    """Why a notebook does not pass."""


def main(files: list[str]) -> int:
    """0 where every notebook passes."""
    if not files:
        print("usage: python tests/notebooks.py FILE…", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _install_kernel(Path(folder))
        passed = [_passes(Path(file)) for file in files]
    return 0 if all(passed) else 1


def _install_kernel(folder: Path) -> None:
    """A kernel of this interpreter, found before any other; no files of the user are read."""
    home = folder / "kernels" / KERNEL
    home.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    command.append("--log-level=ERROR")  # it warns of unencrypted TCP, which stays on loopback
    spec = {"argv": command, "display_name": KERNEL, "language": "python"}
    (home / "kernel.json").write_text(json.dumps(spec))
    os.environ["JUPYTER_PATH"] = str(folder)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")


def _passes(file: Path) -> bool:
    began = time.monotonic()
    try:
        tables = _run(file)
    except Refused as why:
        print(f"FAILED {file} ({time.monotonic() - began:.1f} s): {why}", flush=True)
        return False
    print(f"ok     {file} ({time.monotonic() - began:.1f} s, {tables} tables)", flush=True)
    return True


def _run(file: Path) -> int:
    """Returns how many HTML tables were shown; raises Refused."""
    try:
        notebook = nbformat.read(file, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise Refused(f"cannot be read: {error}") from None
    _refuse_outputs(notebook)
    _execute(notebook)
    tables = sum(_shows_table(output) for cell in _code(notebook) for output in cell.outputs)
    if tables == 0:
        raise Refused("no cell shows an HTML table")
    return tables


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _refuse_outputs(notebook: Any) -> None:
    for cell in _code(notebook):
        if cell.outputs or cell.execution_count is not None:
            raise Refused(f"cell {cell.id} was saved with its outputs: clear them")


def _execute(notebook: Any) -> None:
    current: dict[str, Any] = {}

    def entered(cell: Any, **_: Any) -> None:
        current["cell"] = cell

    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_S,
            kernel_name=KERNEL,
            allow_errors=False,
            on_cell_start=entered,
            resources={"metadata": {"path": folder}},  # a stray file must not land in the checkout
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise Refused(_told(current, f"{error.ename}: {error.evalue}")) from None
        except CellTimeoutError:
            raise Refused(_told(current, f"not done after {CELL_TIMEOUT_S} s")) from None
        except (DeadKernelError, RuntimeError) as error:
            raise Refused(_told(current, str(error))) from None


def _told(current: dict[str, Any], why: str) -> str:
    cell = current.get("cell")
    if cell is None:
        return f"the kernel did not start: {why}"
    source = "\n".join(f"    {line}" for line in cell.source.splitlines())
    return f"cell {cell.id}\n{source}\n  {why}"


def _shows_table(output: Any) -> bool:
    return "<table" in output.get("data", {}).get("text/html", "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
