"""Records of several releases: the ones that belong on one page, and the command that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional, Sequence

import pytest

from reports import record, releases
from reports.__main__ import main
from reports.errors import (
    DifferentSeeds,
    DifferentSubjects,
    DifferentTiers,
    DuplicateRelease,
    NoRecords,
    PartialRecord,
    ReportError,
    UnfinishedRun,
)
from reports.history import History, history, read_history
from reports.record import Record
from tests.meta import handmade


def releases_of_one_kind() -> List[Record]:
    """Return three releases that behave alike."""
    rows = [handmade.row()]
    return [handmade.record(handmade.header(name), rows) for name in ("1.9", "1.10", "2.0")]


# --- records that do not belong on one page ---------------------------------------------


def together(*others: Record) -> History:
    return history([handmade.record(handmade.header("2.12"), [handmade.row()]), *others])


MISFITS: Dict[type, Record] = {
    DuplicateRelease: handmade.record(handmade.header("2.12"), [handmade.row()]),
    DifferentSeeds: handmade.record(handmade.header(seed=1), [handmade.row()]),
    DifferentTiers: handmade.record(handmade.header(tier="smoke"), [handmade.row()]),
    DifferentSubjects: handmade.record(handmade.header(subject="m:B"), [handmade.row()]),
    PartialRecord: handmade.record(handmade.header(selection="-k eval"), [handmade.row()]),
    UnfinishedRun: handmade.record(handmade.header(), [handmade.row()], exit_status=2),
}


@pytest.mark.parametrize("error", MISFITS, ids=lambda error: str(error.__name__))
def test_a_record_that_does_not_belong_is_refused(error: type) -> None:
    with pytest.raises(ReportError) as caught:
        together(MISFITS[error])
    assert type(caught.value) is error
    assert "handmade" in str(caught.value)


# --- the command ------------------------------------------------------------------------


def committed(directory: Path, records: Sequence[Record]) -> Path:
    """Write ``records`` and return their directory."""
    target = directory / "records"
    target.mkdir()
    for each in records:
        path = target / f"torch-{each.header.release}.jsonl.gz"
        record.write(path, each.header, each.rows, each.footer.exit)
    return target


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    directory, page = committed(tmp_path, releases_of_one_kind()), tmp_path / "RELEASES.md"
    arguments = ["releases", "--records", str(directory), "-o", str(page)]
    assert main(arguments) == 0
    expected = releases.page(read_history(directory))
    assert page.read_bytes() == expected.encode("utf-8")
    assert main([*arguments, "--check"]) == 0


@pytest.mark.parametrize("stale", [None, b"# an older page\n"])
def test_the_check_of_a_stale_page_says_what_to_run(
    tmp_path: Path, stale: Optional[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    directory, page = committed(tmp_path, releases_of_one_kind()), tmp_path / "RELEASES.md"
    if stale is not None:
        page.write_bytes(stale)
    assert main(["releases", "--records", str(directory), "-o", str(page), "--check"]) == 1
    assert "run: python -m reports releases" in capsys.readouterr().out
    assert page.exists() == (stale is not None)


def test_a_directory_without_records_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(NoRecords):
            read_history(directory)
        assert main(["releases", "--records", str(directory)]) == 2
        printed = capsys.readouterr()
        assert printed.err.count("\n") == 1
        assert "pytest --report" in printed.err


def test_a_page_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = committed(tmp_path, releases_of_one_kind())
    page = tmp_path / "missing" / "RELEASES.md"
    assert main(["releases", "--records", str(directory), "-o", str(page)]) == 2
    assert capsys.readouterr().err.startswith(f"python -m reports: {page}: ")
