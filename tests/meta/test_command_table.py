"""The table of the commands of ``reports``: each has help, examples that can be given, exit statuses."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from reports.__main__ import main, parser_for
from reports.commands.command import UNUSABLE
from reports.commands.table import COMMANDS, Entry
from tests.meta.sources import ROOT

each_command = pytest.mark.parametrize("entry", COMMANDS, ids=[each.name for each in COMMANDS])


def test_the_commands_stand_in_order() -> None:
    names = [each.name for each in COMMANDS]
    assert names == sorted(set(names))


@each_command
def test_help_has_examples_and_exit_statuses(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    command = entry.load()
    with pytest.raises(SystemExit) as ended:
        main([entry.name, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(f"python -m reports {words}" in shown for words, _ in command.examples)
    assert command.examples
    assert {0} <= set(command.statuses) <= {0, 1}
    assert all(f"\n  {status}  " in shown for status in (*command.statuses, UNUSABLE))


def test_the_page_lists_the_commands() -> None:
    page = (ROOT / "reports" / "RECORDS.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1].split()[0] for line in page.splitlines() if line.startswith("| `") and "nox" not in line]
    assert sorted(rows) == [each.name for each in COMMANDS]


@each_command
def test_examples_can_be_given(entry: Entry) -> None:
    command = entry.load()
    for text, _ in command.examples:
        words = shlex.split(text)
        assert words[0] == entry.name
        assert parser_for(words).parse_args(words).run is command.run


@each_command
def test_every_argument_is_explained(entry: Entry) -> None:
    parser = argparse.ArgumentParser()
    entry.load().arguments(parser)
    assert [each.dest for each in parser._actions if not each.help] == []


def test_the_list_of_commands_loads_none_of_them() -> None:
    script = (
        "import sys\n"
        "from reports.__main__ import parser_for\n"
        "parser_for(['--help']).format_help()\n"
        "print([name for name in sys.modules if name in sys.argv])\n"
    )
    modules = [each.module for each in COMMANDS]
    command = [sys.executable, "-c", script, *modules]
    assert subprocess.check_output(command, cwd=ROOT, text=True).strip() == "[]"


@pytest.mark.parametrize("words", [[], ["shw"], ["show"], ["show", "a", "b"], ["--all"]])
def test_a_wrong_command_line_gets_one_line_and_status_2(
    words: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    lines = capsys.readouterr().err.splitlines()
    assert ended.value.code == UNUSABLE
    assert ": error: " in lines[-1]
    assert lines[0].startswith("usage: python -m reports")


def test_the_folder_is_run_from_anywhere_and_without_the_current_folder_on_the_path(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    command = [sys.executable, str(ROOT / "reports"), "show", "none.jsonl"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (UNUSABLE, "")
    assert ran.stderr.startswith("python -m reports: none.jsonl: there is no such file")


def test_the_help_says_how_the_folder_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert f"python {ROOT / 'reports'}" in " ".join(capsys.readouterr().out.split())
