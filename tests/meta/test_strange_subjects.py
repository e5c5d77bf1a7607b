"""Subjects whose class, attributes or exceptions cannot be shown: one line, and no traceback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.meta.command import USAGE, crash, run
from tests.subject import classes, loading
from tests.subject.errors import SubjectError
from tests.subject.foreign import safe_repr, said

Norm: Any = torch.nn.BatchNorm2d


class Own(BaseException):
    """An exception that ``except Exception`` lets pass."""


class Unspeakable(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise Own

    __repr__ = __str__


def computed(name: str) -> type:
    """Return a metaclass whose attribute raises."""

    def fail(cls: type) -> Any:
        raise Own("computed")

    return type("Meta", (type,), {name: fail if name == "__repr__" else property(fail)})


def test_an_exception_whose_text_raises_anything_is_named_by_its_class() -> None:
    assert said(Unspeakable()) == "Unspeakable"
    assert safe_repr(Unspeakable()) == "a Unspeakable that cannot be shown"


@pytest.mark.parametrize("name", ["__repr__", "__module__"])
def test_a_class_that_cannot_be_shown_is_called_what_the_user_called_it(name: str) -> None:
    strange = computed(name)("Strange", (Norm,), {})
    assert classes.subject("mine:Strange", strange, "module", "cpu").name == "mine:Strange"


@pytest.mark.parametrize("name", ["sums_exactly", "implementation"])
def test_a_class_attribute_that_raises_is_refused(name: str) -> None:
    strange = computed(name)("Strange", (Norm,), {})
    with pytest.raises(
        SubjectError, match=r"'sums_exactly' and 'implementation' cannot be read \(Own: computed"
    ):
        classes.subject("mine:Strange", strange, "module", "cpu")


def test_a_name_of_the_implementation_that_is_no_text_is_refused() -> None:
    strange = type("Strange", (Norm,), {"implementation": 5})
    with pytest.raises(SubjectError, match=re.escape("its 'implementation' is 5; accepted is a text")):
        classes.subject("mine:Strange", strange, "module", "cpu")


def test_a_module_that_exits_when_asked_for_the_class_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packages that import their modules when they are asked for run foreign code then."""
    source = "def __getattr__(name):\n    if name == 'Norm':\n        raise SystemExit(0)\n"
    (tmp_path / "leaving.py").write_text(source + "    raise AttributeError(name)\n", encoding="ascii")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SubjectError, match=r"importing 'Norm' fails \(SystemExit: 0\)"):
        loading.load("leaving:Norm")


def test_what_a_subject_says_cannot_command_the_terminal(tmp_path: Path) -> None:
    source = "import torch\nclass Norm(torch.nn.BatchNorm2d):\n    def forward(self, x):\n"
    source += "        raise ValueError('\\x1b[31mred\\u202e')\n"
    (tmp_path / "painting.py").write_text(source, encoding="ascii")
    ran = run("--subject", "painting:Norm", "--tier", "smoke", path=str(tmp_path))
    assert (ran.status, len(ran.lines)) == (USAGE, 1), ran.output
    assert "(ValueError: \\x1b[31mred\\u202e)" in ran.output
    assert crash(ran.output) == []
