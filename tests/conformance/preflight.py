"""Refuses unusable options in one line, before anything is collected or any worker starts."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Any, List, Optional

from cases import catalogue
from cases.errors import CaseError
from cases.paths import EAGER
from cases.programs import spelled
from cases.suffixes import LARGEST_SEED
from oracle.semantics import parse_release, semantics
from reports import accepted, destination
from reports.errors import ReportError
from reports.rows import CPU, MODULE
from tests.conformance import own_input
from tests.conformance.process import Damage, Guard
from tests.subject import DEFAULT, adapted, loading
from tests.subject.errors import DeviceError, SubjectError
from tests.subject.foreign import said

ACCEPTED = (
    ("seed", 0, LARGEST_SEED),
    ("threads", 1, 1024),
    ("explore", 0, 10**9),
    ("explore-seed", 0, LARGEST_SEED),
    ("case-timeout", 0, 10**6),
)
"""The smallest and the largest value of each option that takes a number."""

VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]+)?((a|b|rc|\.dev)[0-9]+)?(\+[A-Za-z0-9.]+)?")
"""A torch version, complete or as MAJOR.MINOR."""


class Unusable(ValueError):
    """An option that cannot be used; the message names what was given and what is accepted."""


def _check_numbers(option: Any) -> None:
    for name, least, largest in ACCEPTED:
        given = getattr(option, name.replace("-", "_"))
        if not least <= given <= largest:
            kind = "whole number" if isinstance(given, int) else "number"
            raise Unusable(f"--{name} {given}: a {kind} of {least} to {largest} is accepted")


def _check_cases(ids: List[str]) -> None:
    for each in ids:
        try:
            catalogue.find(each)
        except CaseError as error:
            raise Unusable(f"--case: {error}") from error


def _check_input(option: Any) -> None:
    """Check that the user's file is readable if a case names it, and is given only if one does."""
    naming = [each for each in option.case if spelled.names_own(catalogue.find(each))]
    if naming and option.input is None:
        raise Unusable(f"--case {naming[0]}: the batch 'own' is read from a file; add --input=FILE")
    if option.input is not None and not naming:
        example = "steps-affine-track-momentum_0.1-bounded-n8-float32-forward:own"
        raise Unusable(f"--input: no --case has a step with the batch 'own', as in --case {example}")
    if option.input is not None:
        try:
            own_input.read(option.input)
        except own_input.InputError as error:
            raise Unusable(f"--input {error}") from error


def _check_torch() -> None:
    """Raise Unusable where torch is not installed."""
    try:
        there = importlib.util.find_spec("torch") is not None
    except ValueError:  # something else has taken the name
        there = True
    if not there:
        raise Unusable(
            "torch is not installed in this environment; install a release, as in: "
            "pip install torch==2.13.0"
        )


def _own_tests(paths: List[str]) -> bool:
    """Whether only the suite's own tests are asked for, some of which need no torch."""
    return bool(paths) and all("meta" in Path(path.partition("::")[0]).parts for path in paths)


def load(option: Any, guard: Guard) -> Any:
    """Return the subject; raises Unusable when torch or the subject cannot be loaded.

    This imports torch, unless the subject is an adapter that does without.
    """
    subject = option.subject
    given = "torch is installed but cannot be used" if subject == DEFAULT else "--subject"
    try:
        with guard.over(f"loading subject {subject!r}"):
            return _subject(option)
    except Damage as damage:
        raise Unusable(f"{given}: subject {subject!r}: when loaded and called once it {damage}") from None
    except SubjectError as error:
        raise Unusable(f"{given}: {error}") from error
    except DeviceError as error:
        raise Unusable(f"--device {error}") from error


def _subject(option: Any) -> Any:
    """Return the subject; raises SubjectError, DeviceError, and Unusable for torch."""
    try:
        found = loading.load(option.subject)
    except SubjectError as error:
        if "torch" in str(error):
            _classes()  # a torch that cannot be imported at all says more
        raise
    if not loading.adapts(found):
        classes = _classes()
        return classes.subject(option.subject, found, option.promise or MODULE, option.device)
    if option.device != CPU:
        raise DeviceError(f"{option.device!r}: an adapter chooses its own; leave --device out")
    return adapted.load(option.subject, found, option.promise)


def _classes() -> Any:
    """Return the module that makes subjects of classes of torch; raises Unusable for torch."""
    _check_torch()
    try:
        from tests.subject import classes
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library is missing, it is another Python's build
        raise Unusable(
            f"torch is installed and cannot be imported ({said(error)}); "
            "see: python -c 'import torch', and install it anew"
        ) from error
    return classes


def environment(subject: Any, threads: int) -> loading.Environment:
    """Set torch's thread count and return its properties; an adapter needs no torch and has none.

    Raises Unusable for a torch that cannot be used.
    """
    if subject.adapts:
        return loading.Environment("", threads)
    classes = _classes()
    try:
        found: loading.Environment = classes.environment(threads)
    except ValueError as error:
        raise Unusable(str(error)) from error
    return found


def _check_semantics(release: str) -> None:
    if not VERSION.fullmatch(release):
        raise Unusable(
            f"--semantics: not a torch version: {release!r}; accepted: MAJOR.MINOR or a whole version, "
            "as in 2.13 or 2.13.0"
        )
    try:
        semantics(parse_release(release))
    except ValueError as error:
        raise Unusable(f"--semantics: {error}") from error


def _check_accepted(option: Any, guard: Guard) -> None:
    try:
        of_file = accepted.read(option.accepted).subject
    except ReportError as error:
        raise Unusable(f"--accepted: {error}") from error
    chosen = list(dict.fromkeys(option.path))
    path = " ".join(chosen) if set(chosen) - {EAGER} else EAGER
    ran = accepted.tested(option.subject, load(option, guard).promise, path, option.device)
    if of_file != ran:
        raise Unusable(
            f"--accepted {option.accepted}: holds findings of {of_file}, and the run is of {ran}; write "
            f"a file for it: {accepted.COMMAND}"
        )


def _check_report(path: str, inputs: List[Optional[str]]) -> None:
    """Check that the record can be written and replaces no file that the run reads."""
    if not path:
        raise Unusable("--report '': the name of a file is accepted, as in --report=new.jsonl.gz")
    try:
        destination.check(path, destination.RECORDS)
        destination.require_other(path, [each for each in inputs if each is not None])
    except ReportError as error:
        raise Unusable(f"--report: {error}") from error


def check_resume(path: str, report: Optional[str]) -> None:
    """Raise Unusable where the file of --resume cannot be written, or is the record itself."""
    if not path or path.endswith(".gz"):
        raise Unusable(
            f"--resume {path!r}: the name of a file of its own is accepted, not ending in .gz, as in "
            "--resume=unfinished.jsonl"
        )
    try:
        destination.check(path)
    except ReportError as error:
        raise Unusable(f"--resume: {error}") from error
    if report is not None and os.path.realpath(path) == os.path.realpath(report):
        raise Unusable(f"--resume {path!r}: is the file of --report, too; give a file of its own")


def _paths(option: Any) -> List[str]:
    """Return the paths besides eager that options and ids name."""
    named = [catalogue.find(each).path for each in option.case]
    return [each for each in dict.fromkeys([*option.path, *named]) if each != EAGER]


def _check_paths(chosen: List[str], subject: Any) -> None:
    from tests.subject.paths import taken
    from tests.subject.paths.path import PathError

    for path in chosen:
        try:
            taken(subject, path)
        except PathError as error:
            raise Unusable(f"--path {path}: {error}") from error


def check(option: Any, paths: List[str], guard: Guard) -> None:
    """Raise Unusable for the first thing that is wrong with pytest's options."""
    _check_numbers(option)
    _check_cases(option.case)
    _check_input(option)
    if option.subject == DEFAULT and not _own_tests(paths):
        _check_torch()
    if option.semantics is not None:
        _check_semantics(option.semantics)
    if option.accepted is not None:
        _check_accepted(option, guard)
    if option.report is not None:
        _check_report(option.report, [option.accepted, option.input])
    if option.resume is not None:
        check_resume(option.resume, option.report)
    if option.explore and set(option.path) - {EAGER}:
        raise Unusable("--explore: random programs run on the path eager alone; leave out --path")
    chosen = _paths(option)
    if chosen:
        _check_paths(chosen, load(option, guard))
    elif (option.subject, option.promise, option.device) != (DEFAULT, None, CPU):
        load(option, guard)
