"""An error of ours in a notebook is its text and the line that led there, not our own insides."""

from __future__ import annotations

import traceback

import pytest

import fieldpost as fp

BAD = "nme: x\ntype: webhok\nsubscriptions: [{name: a, url: 'https://h.example', filtr: all}]\n"


def raised(work):
    try:
        work()
    except fp.FieldpostError as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.fixture(name="shell")
def fixture_shell(tmp_path, monkeypatch):
    """IPython as a notebook has it, of its own; runs a cell and gives what it printed."""
    interactiveshell = pytest.importorskip("IPython.core.interactiveshell")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = interactiveshell.InteractiveShell(colors="nocolor")
    shell.history_manager.enabled = False
    yield shell
    shell.history_manager.end_session()


def test_a_notebook_shows_a_missing_file_in_two_lines(shell, capsys):
    shell.run_cell("import fieldpost as fp\nfp.transform('gone.ndjson', fp.Mapping({})).write('x')")
    told = capsys.readouterr().out.strip().splitlines()
    assert len(told) == 2, told
    assert told[0].startswith("SourceError: E801 ") and "gone.ndjson" in told[0]
    assert told[1] == "  line 2 of the cell: fp.transform('gone.ndjson', fp.Mapping({})).write('x')"


def test_all_mistakes_are_shown_each_with_its_hint(shell, capsys):
    shell.run_cell(
        f"import fieldpost as fp\ntext = {BAD!r}\nfp.Destination.from_text(text, 'd.yaml')"
    )
    told = capsys.readouterr().out.strip().splitlines()
    assert told[0] == "ConfigError: 4 mistakes" and len(told) == 6
    assert all(one.startswith("d.yaml:") for one in told[1:5])
    assert "; did you mean" in "".join(told[1:5])
    assert told[5] == "  line 3 of the cell: fp.Destination.from_text(text, 'd.yaml')"


def test_another_exception_is_shown_as_ever(shell, capsys):
    shell.run_cell("import fieldpost as fp\nfp.Mapping({}).apply(1 / 0)")
    assert "Traceback" in capsys.readouterr().out


@pytest.mark.parametrize(
    "work",
    [
        lambda: fp.Filter("type = "),
        lambda: fp.Mapping({"@pth": 1}),
        lambda: fp.Destination.from_file("gone.yaml"),
        lambda: fp.Mapping({"@date": "x"}).apply({}),
        lambda: (_ for _ in ()).throw(fp.AuthError("E601", "no", "there", "look")),
        lambda: (_ for _ in ()).throw(fp.LedgerError("E701", "no")),
    ],
)
def test_every_kind_of_ours_is_short_and_whole_in_plain_python(work):
    error = raised(work)
    lines = error._render_traceback_()
    assert lines[0] == f"{type(error).__name__}: {error}"
    assert "test_short_traceback.py" in lines[-1] and len(lines) == 2
    whole = "".join(traceback.format_exception(error))
    assert whole.startswith("Traceback") and str(error) in whole and "lambda" in whole


def test_control_characters_of_a_name_are_shown_and_not_obeyed():
    error = raised(lambda: fp.Destination.from_file("\x1b[2J\n<b>.yaml"))
    shown = "\n".join(error._render_traceback_())
    assert "\x1b" not in shown and "\\x1b[2J" in shown and "<b>" in shown


def test_notes_are_shown():
    error = raised(lambda: fp.Filter("type = "))
    error.add_note("of the nightly job")
    assert error._render_traceback_()[-1] == "of the nightly job"
