"""The sessions of nox that take hours: they go on where they were interrupted, and say how far they are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, List, Optional, Type

import pytest

from reports import record
from reports.errors import EmptyRecord, MissingFooter, MissingHeader, RecordError
from reports.order import ends
from reports.revision import suite_revision
from reports.rows import Header
from tests.meta import handmade
from tests.meta.sources import ROOT

pytest.importorskip("nox", reason="the sessions are nox's: pip install nox")


@pytest.fixture(scope="module")
def loaded() -> Any:
    """Return the module of the sessions, which nox allows to be loaded once."""
    path = list(sys.path)
    spec = importlib.util.spec_from_file_location("noxfile_of_the_suite", ROOT / "noxfile.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture
def noxfile(loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return that module with four shards, and folders of this test."""
    for name, value in (("SHARDS", 4), ("OUT", tmp_path / "out"), ("RECORDS", tmp_path / "records")):
        monkeypatch.setattr(loaded, name, value)
    loaded.RECORDS.mkdir()
    return loaded


class Session:
    """A session of nox whose runs of pytest write a record at once.

    ``status``: the exit status in the records. ``interrupted``: the number of the run that is interrupted.
    """

    def __init__(self, header: Any, status: int = 0, interrupted: Optional[int] = None) -> None:
        self._header, self._status, self._interrupted = header, status, interrupted
        self.posargs: List[str] = []
        self.runs: List[List[str]] = []
        self.lines: List[str] = []

    def install(self, *packages: str) -> None:
        """Install nothing."""

    def log(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, line: str) -> None:
        self.lines.append(line)

    def error(self, line: str) -> None:
        raise AssertionError(line)

    def run(self, *words: str, **_: Any) -> None:
        self.runs.append(list(words))
        if len(self.runs) == self._interrupted:
            raise KeyboardInterrupt
        options = dict(word.split("=", 1) for word in words if word.startswith("--report="))
        if options:
            shard = words[words.index("--shard") + 1]
            record.write(options["--report"], self._header(f"--shard {shard}"), [handmade.row()], self._status)

    def shards(self) -> List[str]:
        """Return the shards that were run."""
        return [words[words.index("--shard") + 1] for words in self.runs if "--shard" in words]


def now(noxfile: Any) -> Any:
    """Return a function that makes the header of a shard, of torch and the suite as they are now."""

    def header(selection: str) -> Header:
        torch, suite = f"{noxfile.TORCH}+cpu", suite_revision(ROOT)
        return handmade.header(torch=torch, suite=suite, tier="full", selection=selection)

    return header


def test_full_goes_on_with_the_shards_that_are_left(noxfile: Any) -> None:
    first = Session(now(noxfile), interrupted=3)
    with pytest.raises(KeyboardInterrupt):
        noxfile.full(first)
    second = Session(now(noxfile))
    noxfile.full(second)
    assert first.shards() == ["1/4", "2/4", "3/4"]
    assert second.shards() == ["3/4", "4/4"]
    assert second.lines[0].startswith("2 of 4 done (50 %), ")
    assert " left: shard 4/4" in second.lines[1]
    assert second.runs[-1][:4] == ["python", "-m", "reports", "summary"]
    third = Session(now(noxfile))
    noxfile.full(third)
    assert third.shards() == []


def test_full_runs_shards_of_an_older_suite_again(noxfile: Any) -> None:
    noxfile.full(Session(now(noxfile)))
    older = Session(lambda selection: handmade.header(tier="full", selection=selection))
    (noxfile.OUT / "full" / "shard-002.jsonl.gz").unlink()
    noxfile.full(older)
    again = Session(now(noxfile))
    noxfile.full(again)
    assert (older.shards(), again.shards()) == (["2/4"], ["2/4"])


def test_full_names_a_shard_with_findings(noxfile: Any) -> None:
    session = Session(now(noxfile), status=1)
    with pytest.raises(AssertionError, match=r"findings in 4 shards: python -m reports show .*shard-001.jsonl.gz"):
        noxfile.full(session)


def test_sweep_skips_what_is_recorded_and_says_how_far_it_is(noxfile: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    releases = noxfile.RELEASES[:3]
    monkeypatch.setattr(noxfile, "RELEASES", releases)
    monkeypatch.setattr(noxfile, "_recorded", lambda path, _=None: path == releases[0].record)
    session = Session(now(noxfile))
    with pytest.raises(AssertionError, match=r"no record of torch 1.5.1, 1.6.0: run nox -s sweep again"):
        noxfile.sweep(session)
    assert [words[-1] for words in session.runs] == ["release(1.5.1)", "release(1.6.0)", "releases"]
    assert session.lines[0].startswith("1 of 3 done (33 %), 0 s gone: torch 1.5.1 on Python 3.8")
    assert session.lines[2].startswith("2 of 3 done (66 %), ")
    assert " left: torch 1.6.0" in session.lines[2]


def test_explore_keeps_what_it_has_done(noxfile: Any) -> None:
    session = Session(now(noxfile))
    session.posargs = ["20000", "-n", "2"]
    noxfile.explore(session)
    (words,) = session.runs
    assert words[3:5] == ["--explore", "20000"]
    assert f"--resume={noxfile.OUT / 'explore.unfinished'}" in words
    assert noxfile.OUT.is_dir()


# --- the ends of a record ---------------------------------------------------------------


def test_the_ends_of_a_record_are_those_that_reading_gives(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    record.write(path, handmade.header(), handmade.varied_rows(), 1)
    whole = record.read(path)
    assert ends(path) == (whole.header, whole.footer)


@pytest.mark.parametrize(
    ("lines", "error"),
    [((), EmptyRecord), ((1, 2), MissingHeader), ((0, 1), MissingFooter), ((0,), MissingFooter)],
)
def test_a_record_without_its_ends_is_refused(lines: List[int], error: Type[RecordError], tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.jsonl", tmp_path / "run.jsonl"
    record.write(whole, handmade.header(), [handmade.row()], 0)
    content = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(content[each] for each in lines), encoding="utf-8")
    with pytest.raises(error):
        ends(path)
