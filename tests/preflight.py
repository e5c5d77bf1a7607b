"""Refuses unusable options in one line, before anything is collected or any worker starts."""

from __future__ import annotations

import importlib.util
from typing import Any, List

from cases import catalogue
from cases.errors import CaseError
from oracle.semantics import parse_release, semantics
from reports import destination
from reports.errors import ReportError

LEAST = (("seed", 0), ("threads", 1), ("explore", 0), ("explore-seed", 0))
"""The smallest value of each option that takes a number."""


class Unusable(ValueError):
    """An option that cannot be used; the message names what was given and what is accepted."""


def _check_numbers(option: Any) -> None:
    for name, least in LEAST:
        given = getattr(option, name.replace("-", "_"))
        if given < least:
            raise Unusable(f"--{name} {given}: a whole number of at least {least} is accepted")


def _check_cases(ids: List[str]) -> None:
    for each in ids:
        try:
            catalogue.find(each)
        except CaseError as error:
            raise Unusable(str(error)) from error


def _check_torch(paths: List[str]) -> None:
    own_tests = bool(paths) and all("meta" in path for path in paths)
    if importlib.util.find_spec("torch") is None and not own_tests:
        raise Unusable(
            "torch is not installed in this environment; install a release, as in: "
            "pip install torch==2.13.0"
        )


def _check_subject(option: Any) -> None:
    """Imports a subject other than torch's own; that needs torch, so only when it was asked for."""
    from tests.subject import loading

    try:
        loading.load(option.subject)
    except loading.SubjectError as error:
        raise Unusable(f"--subject: {error}") from error


def check(option: Any, paths: List[str], default_subject: str) -> None:
    """Raises Unusable for the first thing that is wrong with pytest's options."""
    _check_numbers(option)
    _check_cases(option.case)
    _check_torch(paths)
    if option.subject != default_subject:
        _check_subject(option)
    if option.semantics is not None:
        try:
            semantics(parse_release(option.semantics))
        except ValueError as error:
            raise Unusable(f"--semantics: {error}") from error
    if option.report:
        try:
            destination.check(option.report)
        except ReportError as error:
            raise Unusable(f"--report: {error}") from error
