"""Where output goes: a file is replaced whole, or left as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reports import destination
from reports.errors import (
    UnwritableOutput,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and devices are named so on POSIX")


def test_a_failure_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"before")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(UnwritableOutput, match="No space left on device"):
        destination.write(path, b"after")
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"before"]


@pytest.mark.parametrize("name", ["missing/run.jsonl", ".", "file/run.jsonl", "x" * 300])
def test_an_unwritable_file_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnwritableOutput) as caught:
        destination.write(tmp_path / name, b"")
    assert str(caught.value).startswith(str(tmp_path / name) + ": ")


@pytest.mark.parametrize("name", ["missing/run.jsonl", "."])
def test_an_unwritable_file_is_found_before_the_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnwritableOutput):
        destination.check(tmp_path / name)
    destination.check(tmp_path / "run.jsonl")
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    destination.write(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


@POSIX
def test_a_device_stays_a_device() -> None:
    destination.write(os.devnull, b"content")
    assert not Path(os.devnull).is_file()
