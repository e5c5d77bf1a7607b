"""The step-by-step account of a passing case, on the suite's input or on the user's own."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from typing import List

import numpy as np
import pytest

from cases import catalogue
from cases.case import Case
from tests.conformance import own_input
from tests.failure.narrative import brief, narrative
from tests.failure.reproduction import reproduce
from tests.failure.runner import Runner
from tests.meta import fakes, installed
from tests.meta.command import LOUD
from tests.meta.command import run as pytest_run
from tests.subject.module import eager
from tests.verdict.result import run

START = "steps-affine-track-momentum_0.1-bounded-n8-float32-"
NUMBERS = [[[[1, 2], [3, 4]], [[1, 1], [1, 1]]]]
"""Channel means 2.5 and 1, unbiased variances 5/3 and 0."""


def told(case: Case, subject: object = installed.BATCH_NORM) -> List[str]:
    return narrative(case, eager(subject), installed.RULES)


def with_own(program: str) -> Case:
    return own_input.filled(catalogue.find(START + program), np.array(NUMBERS, dtype=np.float64))


def words(lines: List[str], beginning: str) -> List[str]:
    return [" ".join(line.split()) for line in lines if line.strip().startswith(beginning)]


def test_the_buffers_after_a_step_are_told() -> None:
    lines = told(with_own("forward:own,eval"))
    assert lines[0] == "   0 BatchNorm2d(2)"
    assert words(lines, "1 forward:own") == ["1 forward:own input [1, 2, 3, 4, 1, 1, 1, 1] of (1, 2, 2, 2) float32 contiguous"]
    assert words(lines, "running_var")[1].startswith("running_var [1.06667, 0.9] as expected, error at most 0.")
    assert words(lines, "running_mean")[1].startswith("running_mean [0.25, 0.1] as expected")
    assert words(lines, "num_batches_tracked") == [f"num_batches_tracked {n} as expected" for n in (0, 1, 1)]
    assert words(lines, "asked of the release") == ["asked of the release: counter_rebound (does not hold)"]
    assert words(lines, "training") == ["training True as expected", "training False as expected"]


def test_what_differs_is_told_with_both_sides() -> None:
    lines = told(with_own("forward:own,forward:b0"), fakes.NotCounted)
    place = next(n for n, line in enumerate(lines) if "DIFFERS" in line)
    assert lines[place - 1].split() == ["num_batches_tracked", "seen", "0"]
    assert lines[place].split() == ["expected", "1", "DIFFERS"]


def test_exceptions_texts_and_gradients_are_told() -> None:
    program = "forward:two_dims,input_grad:b0,backward:ones,show:keys"
    lines = told(catalogue.find(START + program))
    assert "exception seen ValueError: expected 4D input (got 2D input)" in words(lines, "exception")
    assert words(lines, "bias gradient")[0].startswith("bias gradient 8 in all 11 places of (11,) as expected")
    assert words(lines, "text") == [
        "text 'bias num_batches_tracked running_mean running_var weight' as expected"
    ]


def test_every_case_can_be_told() -> None:
    edges = [each for each in installed.edges()[::40] if each.variant.shape != "n102400"]
    for case in edges + list(installed.small()[::60]):
        lines = told(case)
        assert sum(line[:4].strip().isdigit() for line in lines) == len(case.steps) + 1


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.array(3), "3"),
        (np.array([0.1, 2.0]), "[0.1, 2]"),
        (np.zeros((2, 3)), "0 in all 6 places of (2, 3)"),
        (np.zeros((0, 3)), "[] of (0, 3)"),
        (np.array([np.nan, np.inf]), "[nan, inf]"),
        (np.append(np.arange(13.0), np.inf), "[0, 1, 2, 3, ...] of (14,) from 0 to 12, 1 not finite"),
    ],
)
def test_arrays_in_short(values: np.ndarray, text: str) -> None:
    assert brief(values) == text


# --- own numbers -------------------------------------------------------------------------------------


def saved(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize(("number", "wanted"), [(str(2**70), 2.0**70), ("9" * 5000, float("inf"))])
def test_whole_numbers_are_read_however_large(number: str, wanted: float, tmp_path: Path) -> None:
    path = saved(tmp_path, "own.json", f"[[[[{number}, 1]]]]")
    assert own_input.read(path).tolist() == [[[[wanted, 1.0]]]]


def test_json_and_npy_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "own.npy", np.array(NUMBERS))
    read = [own_input.read(saved(tmp_path, "own.json", json.dumps(NUMBERS))), own_input.read(str(tmp_path / "own.npy"))]
    for values in read:
        assert values.dtype == np.float64
        assert values.tolist() == NUMBERS


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("own.json", "[[1, 2]]", "its shape is (1, 2)"),
        ("own.json", "[[[[1]], [[1, 2]]]]", "inhomogeneous"),
        ("own.json", '[[[["a"]]]]', "not everything in it is a number"),
        ("own.json", "[[[[true, 2.0]]]]", "not everything in it is a number"),
        ("own.json", "[[]]", "its shape is (1, 0)"),
        ("own.json", "[", "Expecting value"),
        ("own.json", "[" * 100_000, "recursion"),
        ("own.npy", "no array", "not an array of numbers"),
        ("own.csv", "1,2", "another kind of file"),
    ],
)
def test_a_bad_file_is_answered_in_one_line(name: str, text: str, reason: str, tmp_path: Path) -> None:
    path = saved(tmp_path, name, text)
    with pytest.raises(own_input.InputError, match=r"accepted is a \.npy file or a \.json file") as caught:
        own_input.read(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_array_is_answered_in_one_line(tmp_path: Path) -> None:
    """NumPy evaluates its header as a piece of Python, so many errors may come of it."""
    path = tmp_path / "own.npy"
    np.save(path, np.zeros((2, 3, 2, 2)))
    whole, draw = path.read_bytes(), random.Random(7)
    for _ in range(400):
        damaged = bytearray(whole[: draw.choice((len(whole), draw.randrange(len(whole))))])
        for _ in range(draw.randrange(1, 4)):
            if damaged:
                damaged[draw.randrange(min(len(damaged), 90))] = draw.choice(b"(){}[]',:0\xffPK\n#")
        path.write_bytes(damaged)
        with contextlib.suppress(own_input.InputError):
            own_input.read(str(path))


def test_folders_and_large_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()
    large = tmp_path / "large.json"
    with open(large, "wb") as file:
        file.truncate(own_input.LARGEST + 1)
    for path, reason in ((tmp_path / "folder.npy", "not a file"), (large, "bytes are too many"), (tmp_path / "no.json", "no such")):
        with pytest.raises(own_input.InputError, match=reason):
            own_input.read(str(path))


def test_a_finding_on_own_numbers_has_a_script() -> None:
    result = run(with_own("forward:own"), eager(fakes.NoEps), installed.RULES)
    again = reproduce(result, Runner(eager(fakes.NoEps, "tests.meta.fakes:NoEps"), installed.RULES, fresh=False))
    assert again.script is not None, again.remark


def test_the_command_line_tells_a_case_on_own_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path, "own.json", json.dumps(NUMBERS))
    ran = pytest_run("-v", "--case", START + "forward:own", f"--input={path}", command=LOUD)
    assert ran.status == 0
    assert ", step by step" in ran.output
    assert "running_mean          [0.25, 0.1]   as expected" in ran.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--case", START + "forward:own"], "the batch 'own' is read from a file; add --input=FILE"),
        (["--input=no.json"], "no --case has a step with the batch 'own'"),
        (["--case", START + "forward:own", "--input=no.json"], "'no.json': there is no such file"),
    ],
)
def test_options_that_do_not_fit_are_refused(arguments: List[str], reason: str) -> None:
    ran = pytest_run(*arguments, command=LOUD)
    assert ran.status == 4
    assert reason in ran.output
    assert len(ran.output.strip().splitlines()) == 1
