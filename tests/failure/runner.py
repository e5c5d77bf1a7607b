"""Runs cases again on the subject while a failure is reported."""

from __future__ import annotations

from dataclasses import dataclass

from cases.case import Case
from oracle.semantics import Semantics
from tests.subject.subject import Subject
from tests.verdict.verdict import Verdict, adjudicate


@dataclass(frozen=True)
class Runner:
    """The subject, the rules that it must follow, and how it is run.

    ``threads``: torch's number of threads. ``fresh``: a script is tried in a process of its own, too,
    which takes as long as importing torch.
    """

    subject: Subject
    semantics: Semantics
    threads: int = 1
    fresh: bool = True

    def verdict(self, case: Case) -> Verdict:
        """Run the case and decide; a known defect may show or not."""
        return adjudicate(case, self.subject, self.semantics, self.threads, strict_defects=False)
