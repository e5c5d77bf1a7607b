"""``python -m reports vectors``: portable test vectors for implementations without torch."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from oracle.semantics import RELEASES, parse_release
from oracle.switch import Release
from reports.commands.command import SAME, Command
from reports.commands.output import print_lines
from reports.errors import MissingExtra
from reports.tally import counted
from reports.vectors import folder

OLDEST, NEWEST = (".".join(map(str, RELEASES[place])) for place in (0, -1))


def _release(text: str) -> Release:
    try:
        release = parse_release(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if release not in RELEASES:
        raise argparse.ArgumentTypeError(f"{text!r} is no known release; accepted: {OLDEST} to {NEWEST}")
    return release


def _directory(text: str) -> Path:
    if not text:  # Path takes it for the current directory
        raise argparse.ArgumentTypeError("'' is no name; give the name of a directory")
    return Path(text)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory",
        metavar="DIR",
        type=_directory,
        help="a new or empty directory, or one with earlier vectors",
    )
    parser.add_argument(
        "--tier",
        choices=("smoke", "gate"),
        default="gate",
        help="smoke: a few MB, in seconds; gate (default): under 20 MB, in about a minute",
    )
    parser.add_argument(
        "--semantics",
        metavar="RELEASE",
        type=_release,
        default=NEWEST,
        help="the torch release whose rules are expected (%(default)s)",
    )


def _run(options: argparse.Namespace) -> int:
    if importlib.util.find_spec("numpy") is None:
        raise MissingExtra("vectors: needs NumPy; install it with: python -m pip install numpy")
    from reports.vectors.content import content  # at the top it would raise where there is no NumPy

    folder.prepare(options.directory)
    written = content(options.tier, options.semantics)
    folder.write(options.directory, written.files)
    size = sum(map(len, written.files.values())) / 1e6
    counts = [(written.cases, "case"), (written.steps, "step"), (written.arrays, "array")]
    contents = ", ".join(counted(*each) for each in counts)
    print_lines(
        [
            f"{options.directory}: {contents}, {size:.1f} MB; README.md says how a port uses them",
            f"left out: {counted(written.left_out, 'case')}, each with its reason in left_out.json",
        ]
    )
    return SAME


COMMAND = Command(
    description="Write test vectors for implementations of BatchNorm2d without torch or Python: programs "
    "in JSON, arrays in .npy files, what is expected after each step with the budget of every value, and "
    "small consumers in NumPy and in JavaScript. It needs NumPy, and no torch.",
    examples=(
        ("vectors my-vectors", "the vectors of the gate, by the newest rules"),
        ("vectors my-vectors --tier smoke --semantics 2.5", "a few of them, by the rules of torch 2.5"),
    ),
    statuses={SAME: "the vectors were written"},
    arguments=_arguments,
    run=_run,
)
