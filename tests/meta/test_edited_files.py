"""Files that a person has edited, or named by mistake: one line and status 2, and nothing is replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Tuple

import pytest

from reports import accepted, record
from reports.__main__ import main
from reports.errors import UnusableAccepted
from tests.meta import handmade

HEAD = handmade.header(subject="mine:Norm")
ROWS = handmade.varied_rows()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the path of a record with findings."""
    path = tmp_path / "run.jsonl"
    record.write(path, HEAD, ROWS, 1)
    return path


def refusal(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must refuse, and return its line."""
    assert main([*map(str, words)]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    return printed.err


def accepted_file(folder: Path) -> Tuple[Path, str]:
    """Write a file of accepted findings, and return its path and text."""
    path = folder / "accepted.json"
    accepted.write(path, accepted.accept(HEAD, ROWS))
    return path, path.read_text(encoding="ascii")


def test_a_field_that_stands_twice_in_accepted_findings(tmp_path: Path) -> None:
    """As a merge by hand leaves it. The last one would silently win."""
    path, text = accepted_file(tmp_path)
    path.write_text(text.replace('"reason": "",', '"reason": "a", "reason": "b",', 1), encoding="ascii")
    with pytest.raises(
        UnusableAccepted, match=r"the field 'reason' stands in it twice\); write it again"
    ):
        accepted.read(path)


def test_a_format_that_is_true_is_not_1(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, text = accepted_file(tmp_path)
    path.write_text(text.replace('"format": 1', '"format": true'), encoding="ascii")
    with pytest.raises(UnusableAccepted, match="its format is True; this suite reads 1"):
        accepted.read(path)
    run.write_text(
        run.read_text(encoding="ascii").replace('"format":1', '"format":true', 1), encoding="ascii"
    )
    assert "run.jsonl:1: is of format True; this suite reads 1" in refusal(
        "show", str(run), capsys=capsys
    )


def test_a_field_that_stands_twice_in_a_record(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = run.read_text(encoding="ascii")
    run.write_text(text.replace('"seed":0', '"seed":0,"seed":1', 1), encoding="ascii")
    assert "run.jsonl:1: is not a line of JSON (the field 'seed' stands in it twice)" in refusal(
        "show", str(run), capsys=capsys
    )


def test_many_symptoms_of_which_the_last_stands_twice_take_no_minutes(tmp_path: Path) -> None:
    path, text = accepted_file(tmp_path)
    fields = json.loads(text)
    (symptom,) = fields["causes"][-1]["symptoms"]
    many = [{**symptom, "got": str(number)} for number in range(40_000)]
    fields["causes"][-1]["symptoms"] = [*many, many[-1]]
    path.write_text(json.dumps(fields), encoding="ascii")
    with pytest.raises(UnusableAccepted, match="39999' stands in two causes"):
        accepted.read(path)


@pytest.mark.parametrize(
    ("name", "said"), [(".", ".: is a directory; give the name of a file"), ("", "'': is no name")]
)
def test_accept_does_not_advise_to_remove_a_directory(
    name: str, said: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run.parent)
    line = refusal("accept", str(run), "-o", name, capsys=capsys)
    assert said in line
    assert "remove" not in line


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a full device is needed: /dev/full")
def test_accept_says_that_a_device_is_full(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refusal("accept", str(run), "-o", "/dev/full", capsys=capsys)
    assert "/dev/full: cannot be written (No space left on device); give another file" in line


@pytest.mark.parametrize("command", ["html", "releases"])
def test_a_page_does_not_get_the_name_of_a_record(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the folder of the records it would be read as one, and refused, from then on."""
    path, page = tmp_path / "torch-2.13.jsonl.gz", tmp_path / "new.jsonl.gz"
    record.write(path, handmade.header(), [handmade.row()], 0)
    given = [str(path)] if command == "html" else ["--records", str(tmp_path)]
    line = refusal(command, *given, "-o", str(page), capsys=capsys)
    assert "new.jsonl.gz: is the name of a record; give another name to a page" in line
    assert not page.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_check_does_not_wait_for_a_pipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records, page = tmp_path / "records", tmp_path / "page.md"
    records.mkdir()
    record.write(records / "torch-2.13.jsonl.gz", handmade.header(), [handmade.row()], 0)
    os.mkfifo(page)
    assert main(["releases", "--check", "--records", str(records), "-o", str(page)]) == 1
    assert "page.md: is not what the records give" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["a\0b", "x/" * 3000, "\ud800"], ids=["NUL", "many parts", "half a pair"]
)
def test_html_refuses_a_directory_that_cannot_be_made(
    name: str, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(run.parent)
    line = refusal("html", str(run), "-o", name, capsys=capsys)
    assert "; give another" in line
    assert [each.name for each in run.parent.iterdir()] == [run.name]
