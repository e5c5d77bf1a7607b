"""The options of the suite, and the texts about those that were given."""

from __future__ import annotations

import re
import shlex
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import Any, List, Optional, Tuple

import pytest

from cases.catalogue import TIERS
from cases.errors import quoted
from cases.paths import EAGER, PATHS
from reports.rows import CPU, PROMISES
from tests.subject import DEFAULT

CONFORMANCE = Path(__file__).resolve().parent
LONGEST_NUMBER = 40
"""The largest number of characters of a number that an option takes."""

CASE_TIMEOUT = 300.0
"""The number of seconds that a case may take; the longest takes about one."""


NAMES = (
    ("--tier", "--case", "--shard", "--seed", "--subject", "--semantics", "--threads")
    + ("--accepted", "--input", "--case-timeout", "--explore", "--explore-seed", "--report")
    + ("--promise", "--path", "--device", "--resume")
)
"""The options that the suite adds to pytest's."""


def parse_shard(text: str) -> Tuple[int, int]:
    """Parse ``I/N`` with 1 <= I <= N; raises ArgumentTypeError, which argparse reports in one line."""
    number, _, count = text.partition("/")
    digits = number + count
    plain = digits.isascii() and number.isdigit() and count.isdigit() and len(digits) < 20
    if plain and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise ArgumentTypeError(f"{quoted(text)}: I/N with 1 <= I <= N is accepted, as in 1/4")


def _plain(text: str) -> bool:
    """Whether a number is short, and of ASCII without the spaces and underscores that Python allows."""
    return len(text) <= LONGEST_NUMBER and text.isascii() and not re.search(r"[\s_]", text)


def whole(text: str) -> int:
    """Parse a whole number; raises ArgumentTypeError for other text, and for too many digits."""
    if _plain(text):
        with suppress(ValueError):
            return int(text)
    raise ArgumentTypeError(f"{quoted(text)}: a whole number is accepted")


def seconds(text: str) -> float:
    """Parse a number of seconds; raises ArgumentTypeError for other text."""
    if _plain(text):
        with suppress(ValueError):
            return float(text)
    raise ArgumentTypeError(f"{quoted(text)}: a number of seconds is accepted")


def add(parser: pytest.Parser) -> None:
    """Add the options to pytest's."""
    group = parser.getgroup("batchnorm", "BatchNorm2d conformance")
    _add_cases(group)
    _add_subject(group)
    group.addoption(
        "--accepted",
        metavar="FILE",
        help="--accepted=FILE.json from python -m reports accept: its findings do not fail the run; "
        "others do, and so does one of them that is gone",
    )
    group.addoption("--report", metavar="FILE", help="write a record; --report=FILE.jsonl or .jsonl.gz")
    group.addoption(
        "--resume",
        metavar="FILE",
        help="--resume=FILE: keep in FILE what is finished, and go on from there when the same command "
        "is given again",
    )


def _add_cases(group: Any) -> None:
    """Add the options that choose cases and their inputs."""
    group.addoption("--tier", choices=TIERS, default="gate", help="how much of the matrix (gate)")
    group.addoption(
        "--case", action="append", default=[], metavar="ID", help="run exactly this case, of any tier"
    )
    group.addoption(
        "--input",
        metavar="FILE",
        help="the batch 'own' of a spelled-out case: --input=FILE.npy or .json, of shape (N, C, H, W)",
    )
    group.addoption(
        "--shard",
        type=parse_shard,
        metavar="I/N",
        help="run every N-th case, beginning with the I-th (all; on a slow path every n-th)",
    )
    group.addoption("--seed", type=whole, default=0, metavar="S", help="other matrix inputs (0)")
    group.addoption("--explore", type=whole, default=0, metavar="N", help="run N random programs (0)")
    group.addoption(
        "--explore-seed", type=whole, default=0, metavar="S", help="other random programs (0)"
    )


def _add_subject(group: Any) -> None:
    """Add the options that say what runs, and how."""
    group.addoption(
        "--subject",
        default=DEFAULT,
        metavar="PACKAGE.MODULE:CLASS",
        help="a class with BatchNorm2d's constructor and attributes, or an Adapter",
    )
    group.addoption(
        "--promise",
        choices=PROMISES,
        help="what the subject claims, and what is compared: values (outputs, running statistics, "
        "gradients), state (and flags, counter, what is None, what raises), module (all that torch "
        "shows; the default for a class of torch)",
    )
    group.addoption(
        "--path",
        action="append",
        default=[],
        choices=(EAGER, *PATHS),
        metavar="NAME",
        help="how the forward is reached; may be repeated, and each path runs the cases (eager); the "
        "paths are listed in tests/subject/paths/README.md",
    )
    group.addoption(
        "--device",
        default=CPU,
        metavar="NAME",
        help="where the module and its inputs lie, as in cuda, cuda:1, mps or xpu (cpu)",
    )
    group.addoption(
        "--semantics",
        metavar="RELEASE",
        help="expect what this torch release does, not the one that runs",
    )
    group.addoption("--threads", type=whole, default=1, metavar="N", help="torch threads (1)")
    group.addoption(
        "--case-timeout",
        type=seconds,
        default=CASE_TIMEOUT,
        metavar="SECONDS",
        help=f"end the process when a case takes longer than this; 0: never ({CASE_TIMEOUT:g})",
    )


ALONE = {
    "subject": DEFAULT,
    "promise": None,
    "device": CPU,
    "semantics": None,
    "threads": 1,
    "input": None,
}
"""The options, besides the case's id, on which its result depends, with their defaults."""


def again(option: Any) -> str:
    """Return the options that a case's id needs to give the same result, each after a space."""
    words = []
    for name, default in ALONE.items():
        given = getattr(option, name)
        if given != default:
            # The file is joined to the option by "=": pytest takes a word of its own for a test.
            words.append(f" --{name}{'=' if name == 'input' else ' '}{shlex.quote(str(given))}")
    return "".join(words)


NARROWING = ("lf", "stepwise", "deselect", "ignore", "ignore_glob")
"""Options of pytest that may leave cases out, and whose values are not repeated."""


def selection(config: pytest.Config, deselected: int) -> Optional[str]:
    """Return the text of what narrows the run to a part of the tier; None for the whole tier.

    ``deselected``: how many cases pytest or a plugin has left out.
    """
    option = config.option
    parts: List[str] = []
    if option.case:
        first, *others = option.case
        parts.append(f"--case {first}" + (f" and {len(others)} more" if others else ""))
    if option.keyword:
        parts.append(f"-k {option.keyword}")
    if option.markexpr:
        parts.append(f"-m {option.markexpr}")
    if option.shard not in (None, (1, 1)):
        parts.append("--shard {}/{}".format(*option.shard))
    if getattr(option, "maxfail", 0):
        parts.append(f"--maxfail {option.maxfail}")
    parts += [f"--{name}" for name in NARROWING if getattr(option, name, None)]
    if not _whole(config):
        parts.append(" ".join(config.args))
    if deselected and not parts:
        parts.append(f"{deselected} cases deselected by a plugin")
    return "; ".join(parts) or None


def _whole(config: pytest.Config) -> bool:
    """Whether the paths of the command line include all cases."""
    asked = {(config.invocation_params.dir / each).resolve() for each in config.args}
    return not asked.isdisjoint((CONFORMANCE, *list(CONFORMANCE.parents)[:2]))
