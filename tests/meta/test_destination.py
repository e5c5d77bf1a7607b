"""Output to a file: the file is replaced as a whole, or left as it was."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import List

import pytest

from reports import destination
from reports.errors import UnwritableOutput

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


def test_an_input_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("run.jsonl")
    destination.require_other(tmp_path / "page.html", [tmp_path / "run.jsonl"])
    for output in ("run.jsonl", "link", "../" + tmp_path.name + "/run.jsonl"):
        with pytest.raises(UnwritableOutput, match="is an input, too; give another file"):
            destination.require_other(tmp_path / output, ["other.jsonl", tmp_path / "run.jsonl"])


REFUSED = {
    "": "is no name",
    "missing/run.jsonl": "there is no directory",
    ".": "is a directory; give the name of a file",
    "directory/": "is the name of a directory; give the name of a file",
    "new.jsonl/": "is the name of a directory; give the name of a file",
    "file.jsonl/": "is the name of a directory; give the name of a file",
    "file.jsonl/run.jsonl": "cannot be written",
    "x" * 300 + ".jsonl": "cannot be written",
    "a\0b.jsonl": "cannot be written",
    "a\ud800b.jsonl": "cannot be written",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.jsonl").write_bytes(b"kept")
    (tmp_path / "directory").mkdir()
    path = os.path.join(tmp_path, name) if name else ""
    for act in (destination.check, lambda given: destination.write(given, b"")):
        with pytest.raises(UnwritableOutput) as caught:
            act(path)
        assert REFUSED[name] in str(caught.value)
        assert "\n" not in str(caught.value)
        assert "give" in str(caught.value)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["directory", "file.jsonl"]
    assert (tmp_path / "file.jsonl").read_bytes() == b"kept"


@pytest.mark.parametrize("name", ["run.jsonl", "run.jsonl.gz", "two words.jsonl", "x" * 249 + ".jsonl"])
def test_a_good_name_is_accepted_and_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    destination.check(tmp_path / name, destination.RECORDS)
    assert list(tmp_path.iterdir()) == []
    destination.write(tmp_path / name, b"content")
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["run", "run.json", "run.gz", "run.jsonl.gz.part", "run.JSONL"])
def test_a_record_has_a_name_that_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnwritableOutput, match=r"does not end in \.jsonl or \.jsonl\.gz"):
        destination.check(tmp_path / name, destination.RECORDS)
    destination.check(tmp_path / name)


@POSIX
@pytest.mark.parametrize("chain", [["a.jsonl"], ["a.jsonl", "b.jsonl"]])
def test_a_link_that_loops_is_refused_and_kept(tmp_path: Path, chain: List[str]) -> None:
    for name, after in zip(chain, chain[1:] + chain[:1]):
        (tmp_path / name).symlink_to(tmp_path / after)
    for act in (destination.check, lambda given: destination.write(given, b"")):
        with pytest.raises(UnwritableOutput, match="cannot be written"):
            act(tmp_path / "a.jsonl")
    assert (tmp_path / "a.jsonl").is_symlink()


@POSIX
def test_a_link_to_nothing_yet_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "new.jsonl")
    destination.write(tmp_path / "link.jsonl", b"content")
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "new.jsonl").read_bytes() == b"content"
    (tmp_path / "lost.jsonl").symlink_to(tmp_path / "missing" / "new.jsonl")
    with pytest.raises(UnwritableOutput, match="there is no directory"):
        destination.check(tmp_path / "lost.jsonl")


def test_a_directory_closed_to_us_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only file system is refused, too: the check tries to make a file."""

    def refuse(*_: object, **__: object) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(UnwritableOutput, match=r"no file can be made in .* \(Read-only file system\)"):
        destination.check(tmp_path / "run.jsonl")


def test_a_file_closed_to_us_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.jsonl").write_bytes(b"kept")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UnwritableOutput, match="no permission to write to it; give another file"):
        destination.check(tmp_path / "run.jsonl")


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(b"before")
    path.chmod(mode)
    destination.write(path, b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@POSIX
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        destination.write(tmp_path / "run.jsonl", b"content")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.jsonl").stat().st_mode) == 0o666 & ~umask


@POSIX
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    destination.write(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"content"


@POSIX
def test_a_device_stays_a_device() -> None:
    destination.check(os.devnull, destination.RECORDS)
    destination.write(os.devnull, b"content")
    assert not Path(os.devnull).is_file()


@POSIX
def test_a_pipe_with_a_name_is_refused_and_one_of_the_shell_is_written_to(tmp_path: Path) -> None:
    """Opening a pipe that nobody reads never ends."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(UnwritableOutput, match="is a pipe, which may have no reader; give the name of a file"):
        destination.check(tmp_path / "pipe.jsonl", destination.RECORDS)
    read_end, write_end = os.pipe()
    destination.write(f"/dev/fd/{write_end}", b"after")
    os.close(write_end)
    assert os.read(read_end, 9) == b"after"
    os.close(read_end)
