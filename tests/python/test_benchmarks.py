"""The benchmarks run, and every contestant gives the same bodies."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def test_the_mapping_benchmark_compares_and_prints_ratios(tmp_path: Path) -> None:
    options = ["--events", "300", "--runs", "1", "--no-node", "--folder", tmp_path]
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "mapping.py", *options], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "orjson + Python: 0 of 2" in done.stdout
    assert "hand-written C++: 0 of 2" in done.stdout
    for measured in ("matches_lines", "dict in, dict out", "Plan.process", "two threads"):
        assert measured in done.stdout, done.stdout
