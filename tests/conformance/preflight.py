"""Refuses unusable options in one line, before anything is collected or any worker starts."""

from __future__ import annotations

import importlib.util
import re
from typing import Any, List

from cases import catalogue
from cases.errors import CaseError
from cases.programs import spelled
from oracle.semantics import parse_release, semantics
from reports import accepted, destination
from reports.errors import ReportError
from tests.conformance import own_input
from tests.conformance.process import Damage, Guard
from tests.subject import DEFAULT
from tests.subject.foreign import said

LARGEST_SEED = 2**63 - 1
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
            seed = catalogue.find(each).variant.seed
        except CaseError as error:
            raise Unusable(f"--case: {error}") from error
        if seed > LARGEST_SEED:
            raise Unusable(f"--case {each}: a seed of at most {LARGEST_SEED} is accepted")


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


def _check_torch(paths: List[str]) -> None:
    own_tests = bool(paths) and all("meta" in path for path in paths)
    try:
        there = importlib.util.find_spec("torch") is not None
    except ValueError:  # something else has taken the name
        there = True
    if not there and not own_tests:
        raise Unusable(
            "torch is not installed in this environment; install a release, as in: "
            "pip install torch==2.13.0"
        )


def load(subject: str, guard: Guard) -> Any:
    """Return the class under test; raises Unusable when torch or the subject cannot be loaded.

    This imports torch.
    """
    try:
        from tests.subject import loading
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library is missing, it is another Python's build
        raise Unusable(
            f"torch is installed and cannot be imported ({said(error)}); "
            "see: python -c 'import torch', and install it anew"
        ) from error
    given = "torch is installed and no use" if subject == DEFAULT else "--subject"
    try:
        with guard.over(f"loading subject {subject!r}"):
            return loading.load(subject)
    except Damage as damage:
        raise Unusable(f"{given}: subject {subject!r}: when loaded and called once it {damage}") from None
    except loading.SubjectError as error:
        raise Unusable(f"{given}: {error}") from error


def _check_semantics(release: str) -> None:
    if not VERSION.fullmatch(release):
        raise Unusable(
            f"--semantics: not a torch version: {release!r}; accepted: MAJOR.MINOR, as in 2.13.0"
        )
    try:
        semantics(parse_release(release))
    except ValueError as error:
        raise Unusable(f"--semantics: {error}") from error


def _check_accepted(path: str, subject: str) -> None:
    try:
        subject_of_file = accepted.read(path).subject
    except ReportError as error:
        raise Unusable(f"--accepted: {error}") from error
    if subject_of_file != subject:
        raise Unusable(
            f"--accepted {path}: holds findings of {subject_of_file}, and the run is of {subject}; write "
            f"a file for it: {accepted.COMMAND}"
        )


def _check_report(path: str) -> None:
    if not path:
        raise Unusable("--report '': the name of a file is accepted, as in --report new.jsonl.gz")
    try:
        destination.check(path, destination.RECORDS)
    except ReportError as error:
        raise Unusable(f"--report: {error}") from error


def check(option: Any, paths: List[str], guard: Guard) -> None:
    """Raise Unusable for the first thing that is wrong with pytest's options."""
    _check_numbers(option)
    _check_cases(option.case)
    _check_input(option)
    _check_torch(paths)
    if option.semantics is not None:
        _check_semantics(option.semantics)
    if option.accepted is not None:
        _check_accepted(option.accepted, option.subject)
    if option.report is not None:
        _check_report(option.report)
    if option.subject != DEFAULT:
        load(option.subject, guard)
