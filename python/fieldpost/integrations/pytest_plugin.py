"""pytest collects the unit cases of destination files: each case is a test of its own.

Taken on by `pytest -p fieldpost.integrations.pytest_plugin`, or by the same under `addopts`. A YAML
file counts as a destination with cases where it has `type:` of one and `tests:`, or a file of cases
beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_TYPE = re.compile(r"^type:\s*[\"']?(?:webhook|dynamics365)\b", re.M)
_TESTS = re.compile(r"^tests:", re.M)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> DestinationFile | None:
    """A collector for a destination file that has unit cases."""
    if file_path.suffix not in (".yaml", ".yml") or not _has_cases(file_path):
        return None
    return DestinationFile.from_parent(parent, path=file_path)


def _has_cases(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if not _TYPE.search(text):
        return False
    return bool(_TESTS.search(text)) or path.with_name(f"{path.stem}.tests.yaml").is_file()


class DestinationFile(pytest.File):
    """A destination file; its unit cases are its tests."""

    def collect(self) -> Iterator[CaseItem]:
        """One item for each case; mistakes of the file fail the collection with all of them."""
        import fieldpost

        try:
            cases = fieldpost.unit_cases(self.path)
        except fieldpost.ConfigError as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield CaseItem.from_parent(self, name=case.name, case=case)


class CaseItem(pytest.Item):
    """One unit case."""

    def __init__(self, *, case: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case = case

    def runtest(self) -> None:
        """Fail with the differences, field by field; skip where the subscription is not enabled."""
        result = self.case.run()
        if result.ok is None:
            pytest.skip("the subscription is not enabled")
        if not result.ok:
            pytest.fail("\n".join(str(one) for one in result.difference), pytrace=False)

    def reportinfo(self) -> tuple[Path, None, str]:
        """The file and the name of the case."""
        return self.path, None, f"{self.path.name}: {self.name}"
