"""Judges one case, or one search through random programs, inside a pytest test."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NoReturn, Optional

import pytest

from cases import catalogue
from cases.case import Case
from reports.encoding import encode_case
from reports.rows import CONTRACT, FINDING, KNOWN_DEFECT, NOT_APPLICABLE
from reports.symptoms import symptom
from reports.visible import visible
from tests.conformance import own_input
from tests.conformance.process import Damage, Exhausted
from tests.conformance.session import Session, session_of
from tests.subject import foreign

if TYPE_CHECKING:  # this imports torch, which collecting must not need
    from tests.verdict.verdict import Verdict

ROW = "batchnorm_row"
SEARCH = "batchnorm_search"
WHOLE = "batchnorm_whole"
NARRATIVE = "batchnorm_narrative"
"""The attributes of a test's report that carry the findings."""

FOUND = pytest.StashKey[Dict[str, Any]]()
"""The findings of a test, on their way into its report: plain values, for reports travel between
processes."""


class Failure(Exception):
    """A subject that cannot even be observed; the text is the whole report.

    ``last``: why no other case can be run after this one, "" where others can.
    """

    def __init__(self, text: str, last: str = "") -> None:
        super().__init__(text)
        self.last = last


@contextlib.contextmanager
def observing(case_id: str, session: Session) -> Iterator[None]:
    """Turn whatever a subject raises outside of its observation into a Failure: exits and skips, too.

    Damage that it does to the process becomes a Failure as well. An error of the suite, and an interrupt
    from the keyboard, pass unchanged.
    """
    try:
        with session.guard.over(f"case {case_id}"):
            yield
    except KeyboardInterrupt:
        raise
    except Damage as damage:
        last = f"case {case_id} {damage}" if isinstance(damage, Exhausted) else ""
        raise Failure(_unobservable(case_id, f"it {damage}", session), last) from None
    except BaseException as error:  # a subject may exit or skip, too
        if not foreign.raised_in_subject(error):
            raise
        what = f"{visible(foreign.said(error))}\n  raised at {visible(foreign.place(error))}"
        raise Failure(_unobservable(case_id, what, session)) from error


def _unobservable(case_id: str, what: str, session: Session) -> str:
    return (
        f"{case_id}\n\nthe subject cannot be observed: {what}\n\n"
        f"run it again: pytest --case '{case_id}'{session.again}"
    )


def judge(case_id: str, request: pytest.FixtureRequest) -> None:
    """Run the case with this id; fail with the report of a finding, mark a known defect as xfail."""
    from tests.conformance import rows

    session = session_of(request.config)
    request.node.stash[FOUND] = {}  # a plugin may run a test more than once
    case = own_input.filled(catalogue.find(case_id), session.own)
    session = session.on(case.path)
    unobservable: Optional[Failure] = None
    try:
        with observing(case.id, session):
            verdict = verdict_on(case, session)
            row = rows.row(verdict, session)
            whole = verdict.outcome == FINDING and grants(verdict, session)
            text = report(verdict, session, whole) if verdict.outcome == FINDING else ""
            steps = narrated(case, session) if session.narrates else []
    except Failure as failure:
        unobservable = failure
    if unobservable is not None:  # outside of the handler, or pytest prints its exception, too
        if unobservable.last:
            request.session.shouldstop = unobservable.last
        pytest.fail(str(unobservable), pytrace=False)
    request.node.stash[FOUND] = {ROW: encode_case(row), WHOLE: whole, NARRATIVE: steps}
    if verdict.outcome == FINDING and session.accepted is not None and session.accepted.covers(row):
        _expect_failure(f"accepted: {visible(verdict.explanation)}")
    if verdict.outcome == FINDING:
        pytest.fail(text, pytrace=False)
    if verdict.outcome == KNOWN_DEFECT:
        assert verdict.defect is not None
        _expect_failure(f"known defect {verdict.defect.name}: {verdict.explanation}")
    if verdict.outcome == CONTRACT:
        assert verdict.clause is not None
        _expect_failure(f"contract {verdict.clause.name}: {verdict.explanation}")
    if verdict.outcome == NOT_APPLICABLE:
        pytest.skip(f"not applicable: {verdict.explanation}")


def _expect_failure(reason: str) -> NoReturn:
    """Raise pytest's xfail without a traceback, because pytest would format one for each such test."""
    raise pytest.xfail.Exception(reason, pytrace=False)


def verdict_on(case: Case, session: Session) -> Verdict:
    """Run the case and decide."""
    from tests.verdict.verdict import adjudicate

    return adjudicate(case, session.subject, session.semantics, session.threads, session.strict_defects)


def narrated(case: Case, session: Session) -> List[str]:
    """Return the account of the case, step by step."""
    from tests.failure.narrative import narrative

    return narrative(case, session.subject, session.semantics)


def grants(verdict: Verdict, session: Session) -> bool:
    """Whether a finding gets a whole report."""
    from tests.conformance.rows import found

    findings = verdict.results[0].findings
    # A changed defect has no script, so it must not use up the report of findings that have one.
    changed = () if verdict.defect is None else (("defect", verdict.defect.name),)
    return not findings or session.allowance.grants(symptom(found(findings[0])).themes + changed)


def report(verdict: Verdict, session: Session, whole: bool = True) -> str:
    """Return the report on a verdict that is a finding."""
    from tests.failure.report import report as written
    from tests.failure.report import short

    return written(verdict, session) if whole else short(verdict, session)
