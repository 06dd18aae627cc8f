"""A function file imports the files beside it, and nobody else's of the same name."""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading

import pytest

from fieldpost.errors import ConfigError
from fieldpost.functions import Failed, load

EVENT = b'{"type": "track"}'
HANDLER = "\ndef on_track(event, settings):\n    return {'told': told()}\n"


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder / "f.py"


def told(functions):
    return json.loads(functions.apply(EVENT))["told"]


@pytest.mark.parametrize(
    "line",
    [
        "from rates import told",
        "from .rates import told",
        "from . import rates\ntold = rates.told",
        "import rates\ntold = rates.told",
        "import rates as r\ntold = r.told",
        "import inner.deep\ntold = inner.deep.told",
        "import inner.deep as d\ntold = d.told",
        "from inner import deep\ntold = deep.told",
        "from inner.deep import told",
        "from .inner.deep import told",
        "from bare.deep import told",
        "from rates import *",
        "def told():\n    from rates import told\n    return told()",
        "def told():\n    from . import rates\n    return rates.told()",
    ],
)
def test_each_way_to_import_finds_a_neighbour(tmp_path, line):
    path = write(tmp_path, f=line + HANDLER, rates="def told(): return 'here'\n")
    write(tmp_path / "inner", __init__="", deep="from rates import told\n")
    write(tmp_path / "bare", deep="from ..rates import told\n")
    mine = load(path)
    assert told(mine) == "here"
    assert told(pickle.loads(pickle.dumps(mine))) == "here"


def test_neighbours_of_one_name_do_not_meet(tmp_path):
    folders = [tmp_path / name for name in ("a", "b")]
    made = []
    for folder in folders:
        text = f"import constants\ndef told(): return '{folder.name}' + constants.MORE\n"
        write(folder, rates=text, constants=f"MORE = '{folder.name}'\n")
        lazy = "def told():\n    import rates\n    return rates.told()\n"
        made.append(load(write(folder, f=lazy + HANDLER)))
    assert [told(one) for one in made] == ["aa", "bb"]
    assert not {"rates", "constants"} & set(sys.modules)


def test_two_function_files_of_one_folder_share_nothing(tmp_path):
    counter = "seen = []\ndef told():\n    seen.append(1)\n    return len(seen)\n"
    write(tmp_path, f="from state import told" + HANDLER, state=counter)
    (tmp_path / "g.py").write_text("from state import told" + HANDLER)
    first, other = load(tmp_path / "f.py"), load(tmp_path / "g.py")
    assert [told(first), told(first), told(other)] == [1, 2, 1]


def test_a_load_sees_what_was_changed_and_leaves_nothing_beside_the_files(tmp_path):
    path = write(tmp_path, f="from rates import told" + HANDLER, rates="def told(): return 1\n")
    before = load(path)
    old = (tmp_path / "rates.py").stat()
    (tmp_path / "rates.py").write_text("def told(): return 2\n")  # as long, and as old
    os.utime(tmp_path / "rates.py", ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (told(before), told(load(path))) == (1, 2)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["f.py", "rates.py"]


def test_the_standard_library_wins_and_an_installed_package_does_not(tmp_path):
    line = "import json, six\ntold = lambda: [hasattr(json, 'loads'), six.MINE]"
    path = write(tmp_path, f=line + HANDLER, json="raise SystemExit\n", six="MINE = 1\n")
    (tmp_path / "pydantic").mkdir()  # no package of anybody's
    assert told(load(path)) == [True, 1]
    write(tmp_path, f="import pydantic\ntold = lambda: hasattr(pydantic, 'BaseModel')" + HANDLER)
    assert told(load(path)) is True


def test_a_neighbour_changes_no_name_of_the_function_file(tmp_path):
    line = "rates = 'mine'\ndef told():\n    from rates import x\n    return [rates, x]"
    assert told(load(write(tmp_path, f=line + HANDLER, rates="x = 2\n"))) == ["mine", 2]


def test_a_mistake_in_a_neighbour_is_told_with_its_line(tmp_path):
    path = write(tmp_path, f="import os\nfrom rates import told" + HANDLER, rates="x = 1\ny = (\n")
    for text, message in {
        "x = 1\n1 +\n": "it imports rates.py, which is not Python: invalid syntax in line 2",
        "\n1 / 0\n": "it raises ZeroDivisionError when it is loaded, at rates.py:2",
        "import gone\n": "it imports gone, which fails, at rates.py:1",
        "x = 1\n": "it imports told from rates, which does not have it",
    }.items():
        (tmp_path / "rates.py").write_text(text)
        before = set(sys.modules)
        with pytest.raises(ConfigError) as caught:
            load(path)
        (mistake,) = caught.value.mistakes
        assert (mistake.code, mistake.message, mistake.line) == ("E410", message, 2)
        assert set(sys.modules) == before


def test_an_exception_in_a_neighbour_names_the_neighbours_line(tmp_path):
    path = write(tmp_path, f="from rates import told" + HANDLER, rates="def told():\n    1 / 0\n")
    failed = load(path).apply(EVENT)
    assert failed == Failed("E411", "on_track raised ZeroDivisionError at rates.py:2")


def test_a_failed_load_leaves_the_one_before_as_it_was(tmp_path):
    lazy = "def told():\n    import rates\n    return rates.told()\n"
    path = write(tmp_path, f=lazy + HANDLER, rates="def told(): return 'old'\n")
    before = load(path)
    path.write_text("import rates\n1 / 0\n")
    with pytest.raises(ConfigError):
        load(path)
    assert told(before) == "old"


def test_threads_may_load_one_file_at_once(tmp_path):
    write(tmp_path, rates="import steps\ndef told(): return steps.ONE\n", steps="ONE = 1\n")
    path = write(tmp_path, f="from rates import told" + HANDLER)
    found = []
    threads = [threading.Thread(target=lambda: found.append(told(load(path)))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=20)
    assert found == [1] * 8
