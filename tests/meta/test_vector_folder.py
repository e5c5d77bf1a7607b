"""The directory of portable vectors: what is refused and what is replaced, each refusal in one line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Dict, List

import pytest

from reports import destination
from reports.__main__ import main
from reports.errors import UnwritableOutput
from reports.vectors import folder

FILES: Dict[str, bytes] = {"one.json": b"1", "schema/two.json": b"22", "manifest.json": b""}
FILES["manifest.json"] = json.dumps({"files": {"one.json": {}, "schema/two.json": {}}}).encode("ascii")


def there(path: Path) -> Dict[str, bytes]:
    """Return every file below a directory."""
    return {
        each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()
    }


def test_a_new_directory_is_made_with_those_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    folder.prepare(path)
    folder.write(path, FILES)
    assert there(path) == FILES


def test_earlier_vectors_are_replaced(tmp_path: Path) -> None:
    folder.write(
        tmp_path,
        {**FILES, "manifest.json": FILES["manifest.json"].replace(b"one", b"old"), "old.json": b"3"},
    )
    (tmp_path / "one.json").unlink()
    folder.prepare(tmp_path)
    folder.write(tmp_path, FILES)
    assert there(tmp_path) == FILES


@pytest.mark.parametrize("name", ["notes.txt", "schema/mine.json", ".hidden"])
def test_a_directory_with_something_else_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    folder.write(tmp_path, FILES)
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(
        UnwritableOutput, match=f"holds {name}, which is no file of vectors; give a new or an empty"
    ):
        folder.prepare(tmp_path)
    assert there(tmp_path) == {**FILES, name: b"mine"}


@pytest.mark.parametrize(
    "manifest",
    [b"", b"[]", b"{}", b'{"files": 7}', b'{"files": {"../victim": {}}}', b"\xff", b"[" * 100_000],
)
def test_a_manifest_of_something_else_lists_nothing(tmp_path: Path, manifest: bytes) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    path = tmp_path / "vectors"
    path.mkdir()
    (path / "manifest.json").write_bytes(manifest)
    (path / "other").write_bytes(b"mine")
    with pytest.raises(UnwritableOutput, match="which is no file of vectors"):
        folder.prepare(path)
    assert there(path) == {"manifest.json": manifest, "other": b"mine"}
    assert victim.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["one.json", "schema"])
def test_a_link_in_the_directory_is_refused_and_what_it_leads_to_is_kept(
    tmp_path: Path, name: str
) -> None:
    path, elsewhere = tmp_path / "vectors", tmp_path / "elsewhere"
    path.mkdir()
    folder.write(path, FILES)
    (path / name).rename(elsewhere)
    (path / name).symlink_to(elsewhere)
    before = there(tmp_path)
    with pytest.raises(UnwritableOutput, match=f"holds {name}, which is no file of vectors"):
        folder.prepare(path)
    assert there(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_the_manifest_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(UnwritableOutput, match=r"holds manifest\.json, which is no file of vectors"):
        folder.prepare(tmp_path)


def test_a_run_that_was_interrupted_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, content: bytes) -> None:
        if path.name == "two.json":
            raise KeyboardInterrupt
        original(path, content)

    original = destination.write
    monkeypatch.setattr(destination, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        folder.write(tmp_path, FILES)
    monkeypatch.undo()
    assert "manifest.json" not in there(tmp_path)
    folder.prepare(tmp_path)
    folder.write(tmp_path, FILES)
    assert there(tmp_path) == FILES


def test_a_disk_that_is_full_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, **options: object) -> None:
        raise OSError(28, "No space left on device")

    folder.write(tmp_path, FILES)
    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(
        UnwritableOutput, match=r"earlier vectors cannot be replaced \(No space left on device\)"
    ):
        folder.write(tmp_path, FILES)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["FILE"], "FILE: cannot be a directory of vectors (File exists); give another directory"),
        (["FILE/below"], "cannot be a directory of vectors (Not a directory); give another directory"),
        (["a\0b"], "cannot be a directory of vectors"),
        (["."], "which is no file of vectors; give a new or an empty directory"),
    ],
)
def test_the_command_refuses_a_directory_in_one_line(
    words: List[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_bytes(b"mine")
    assert main(["vectors", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("python -m reports: ")
    assert told in error
    assert error.count("\n") == 1
    assert there(tmp_path) == {"FILE": b"mine"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--semantics", "3.1"], "'3.1' is no known release; accepted: 1.4 to 2.15"),
        (["--semantics", "new"], "not a torch version: 'new'; accepted: MAJOR.MINOR"),
        (["--tier", "full"], "invalid choice: 'full'"),
    ],
)
def test_the_command_refuses_other_words(
    words: List[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["vectors", str(tmp_path / "new"), *words])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_an_empty_name_is_not_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["vectors", "", "--tier", "smoke"])
    assert ended.value.code == 2
    assert "'' is no name; give the name of a directory" in capsys.readouterr().err
    assert there(tmp_path) == {}


def test_without_numpy_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["vectors", str(tmp_path / "new")]) == 2
    assert (
        capsys.readouterr().err
        == "python -m reports: vectors: needs NumPy; install it with: python -m pip install numpy\n"
    )
    assert not (tmp_path / "new").exists()
