"""Accepted findings: a file that lets a subject with known differences pass.

The file lists causes by their symptoms. ``python -m reports accept`` writes it, and it is meant to be
reviewed and committed. It is strict both ways: a finding that it does not list is new, and a cause that
it lists and that no case shows is gone; each fails a run or a difference.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from reports import destination, reading
from reports.cause_text import Cause, description
from reports.causes import cause_lines, causes
from reports.errors import DifferentSubjects, PathLike, RecordError, UnusableAccepted
from reports.fields import Fields, Malformed, as_object, described
from reports.incidents import incidents_of
from reports.rows import CPU, EAGER, MODULE, CaseRow, Found, Header
from reports.symptoms import Symptom, symptom
from reports.tally import counted
from reports.visible import shortened

KIND, FORMAT = "accepted findings", 1

SIZE = 1 << 24
"""The largest number of bytes of such a file (16 MiB)."""

COMMAND = "python -m reports accept RECORD -o FILE.json"

_FILE_FIELDS = ("kind", "format", "subject", "release", "tier", "seed", "suite", "causes")
_CAUSE_FIELDS = ("reason", "what", "cases", "case", "symptoms")


class AcceptedCause(NamedTuple):
    """A cause that is accepted.

    ``reason`` says why it is accepted, and is written by people. ``what`` says in a line what is wrong.
    ``cases`` is the number of cases that showed one of its symptoms, and ``case`` is one of them. A
    finding belongs to this cause if it has one of ``symptoms``.
    """

    reason: str
    what: str
    cases: int
    case: str
    symptoms: Tuple[Symptom, ...]


class Accepted(NamedTuple):
    """A file of accepted causes, with the run that showed them.

    ``subject`` is the subject of the run with its options, as ``tested`` returns it.
    """

    subject: str
    release: str
    tier: str
    seed: int
    suite: str
    causes: Tuple[AcceptedCause, ...]

    def accepts(self, found: Found) -> Optional[AcceptedCause]:
        """Return the accepted cause that a finding is of, None where there is none."""
        seen = symptom(found)
        return next((cause for cause in self.causes if seen in cause.symptoms), None)

    def covers(self, row: CaseRow) -> bool:
        """Return whether all findings of a case are accepted, or only follow from accepted ones."""
        found = [self.accepts(each) for each in _found(row)]
        return bool(found) and all(found)

    def require_subject(self, header: Header, path: PathLike) -> None:
        """Raise DifferentSubjects where the file at ``path`` is of another subject than a run."""
        ran = tested(header.subject, header.promise, header.path, header.device)
        if self.subject != ran:
            raise DifferentSubjects(
                f"{os.fspath(path)}: holds what was accepted of {self.subject}, "
                f"and the run is of {ran}; write a file for it: {COMMAND}"
            )


def tested(subject: str, promise: str, path: str, device: str) -> str:
    """Return the subject and, where they are not the usual ones, its promise, paths and device."""
    options = (("promise", promise, MODULE), ("path", path, EAGER), ("device", device, CPU))
    return " ".join([subject, *(f"--{name} {given}" for name, given, usual in options if given != usual)])


def accept(header: Header, rows: Iterable[CaseRow], before: Optional[Accepted] = None) -> Accepted:
    """Return a file that accepts every finding of a run.

    ``before``: an earlier file of the subject, whose reasons are kept where a symptom is shared.
    """
    old = before.causes if before else ()
    reasons = {name: cause.reason for cause in old for name in cause.symptoms}
    rows = tuple(rows)
    found = causes(rows)
    owners = _owners(found)
    listed = [_accepted(cause, owners, reasons) for cause in found]
    listed = [cause._replace(cases=count) for cause, count in zip(listed, _counts(listed, rows))]
    return Accepted(
        subject=tested(header.subject, header.promise, header.path, header.device),
        release=header.release,
        tier=header.tier,
        seed=header.seed,
        suite=header.suite,
        causes=tuple(cause for cause in listed if cause.symptoms),
    )


def _owners(found: Sequence[Cause]) -> Dict[Symptom, Cause]:
    """Return the cause under which each symptom is listed.

    A symptom that several causes share is listed under the cause whose theme it is, or else under
    the first of them.
    """
    owners: Dict[Symptom, Cause] = {}
    for cause in found:
        for name, _, _ in cause.symptoms:
            if cause.theme in name.themes or name not in owners:
                owners[name] = cause
    return owners


def _accepted(
    cause: Cause, owners: Mapping[Symptom, Cause], reasons: Mapping[Symptom, str]
) -> AcceptedCause:
    names = tuple(sorted(name for name, _, _ in cause.symptoms if owners[name] is cause))
    reason = next((reasons[name] for name in names if reasons.get(name)), "")
    return AcceptedCause(reason, shortened(description(cause)), cause.cases, cause.id, names)


def _found(row: CaseRow) -> List[Found]:
    """Return the findings of a case, except those that only follow from others."""
    return [each for incident in incidents_of(row) for each in incident.findings]


def new(accepted: Accepted, rows: Iterable[CaseRow]) -> Tuple[Cause, ...]:
    """Return the causes of the findings in ``rows`` that are not accepted."""
    return causes(_without(accepted, row) for row in rows if not accepted.covers(row))


def _without(accepted: Accepted, row: CaseRow) -> CaseRow:
    """Return ``row`` without the findings that are accepted."""
    return replace(row, findings=tuple(each for each in _found(row) if not accepted.accepts(each)))


def gone(accepted: Accepted, header: Header, rows: Iterable[CaseRow]) -> Tuple[AcceptedCause, ...]:
    """Return the accepted causes that no case of a run shows.

    A run of the whole tier and seed of the file must show every cause; another run must show those
    whose named case it has run.
    """
    rows = tuple(rows)
    ran = {row.id for row in rows}
    whole = header.selection is None and (header.tier, header.seed) == (accepted.tier, accepted.seed)
    shown = {symptom(each) for row in rows for each in _found(row)}
    required = (cause for cause in accepted.causes if whole or cause.case in ran)
    return tuple(cause for cause in required if shown.isdisjoint(cause.symptoms))


def grown(
    accepted: Accepted, header: Header, rows: Iterable[CaseRow]
) -> Tuple[Tuple[AcceptedCause, int], ...]:
    """Return the accepted causes that more cases show than were accepted, each with their number.

    A symptom is coarse: another fault may share it. Only whole runs of the same cases are compared.
    """
    same = (header.tier, header.seed, header.suite) == (accepted.tier, accepted.seed, accepted.suite)
    if header.selection is not None or not same:
        return ()
    counts = _counts(accepted.causes, rows)
    pairs = zip(accepted.causes, counts)
    return tuple((cause, count) for cause, count in pairs if count > cause.cases)


def _counts(causes: Sequence[AcceptedCause], rows: Iterable[CaseRow]) -> List[int]:
    """Return how many cases show each of the causes."""
    counts = [0] * len(causes)
    for row in rows:
        shown = {symptom(each) for incident in incidents_of(row) for each in incident.findings}
        for number, cause in enumerate(causes):
            counts[number] += not shown.isdisjoint(cause.symptoms)
    return counts


def growth(cause: AcceptedCause, count: int) -> str:
    """Return one line that says what is wrong with an accepted cause that more cases show."""
    return (
        f"{shortened(cause.what)}: {counted(cause.cases, 'case')} accepted, {count} show it; see which "
        f"are new with python -m reports diff, or write the file again: {COMMAND}"
    )


def difference_lines(accepted: Accepted, header: Header, rows: Iterable[CaseRow]) -> List[str]:
    """Return a line about what is accepted, and one for each new finding and each cause that is gone."""
    rows = tuple(rows)
    covered = sum(accepted.covers(row) for row in rows)
    lines = [f"accepted: {counted(covered, 'case')} of {counted(len(accepted.causes), 'accepted cause')}"]
    found = new(accepted, rows)
    if found:
        lines += ["not accepted:", *cause_lines(found, options=header.options)]
    for cause in gone(accepted, header, rows):
        lines.append(
            f"gone: {shortened(cause.what)}, accepted of {counted(cause.cases, 'case')}, such as "
            f"{shortened(cause.case)}; take it out: {COMMAND}"
        )
    return [*lines, *(f"more: {growth(*pair)}" for pair in grown(accepted, header, rows))]


# --- the file ---------------------------------------------------------------------------


def write(path: PathLike, accepted: Accepted) -> None:
    """Write the file; raise UnwritableOutput where it cannot be written."""
    fields: Dict[str, object] = {"kind": KIND, "format": FORMAT, **accepted._asdict()}
    fields["causes"] = [
        {**cause._asdict(), "symptoms": [name._asdict() for name in cause.symptoms]}
        for cause in accepted.causes
    ]
    destination.write(path, (json.dumps(fields, indent=2) + "\n").encode("ascii"))


def read(path: PathLike) -> Accepted:
    """Return the file at ``path``; raise UnusableAccepted where it is not one."""
    try:
        text = "".join(line for _, line in reading.lines(path, SIZE, SIZE))
        return _decoded(as_object(reading.parsed(text)))
    except RecordError as error:
        problem = error.problem
    except (ValueError, TypeError) as error:  # not JSON, not an object, or a wrong field
        problem = f"is not a file of accepted findings ({shortened(str(error), 200)})"
    raise UnusableAccepted(f"{os.fspath(path) or repr('')}: {problem}; write it again: {COMMAND}")


def earlier(path: PathLike, header: Header) -> Optional[Accepted]:
    """Return the file that is about to be replaced, whose reasons are kept; None where there is none.

    Raises:
        ReportError: there is a file, and it is not one of the same subject; or no file can be written.
    """
    destination.check(path)
    if not os.path.isfile(path):  # there is none, or a device, which keeps nothing
        return None
    try:
        before = read(path)
    except UnusableAccepted:
        raise UnusableAccepted(
            f"{os.fspath(path)}: holds something else than accepted findings, and is kept; "
            "give another file, or remove it"
        ) from None
    before.require_subject(header, path)
    return before


def _decoded(fields: Mapping[str, object]) -> Accepted:
    if fields.get("kind") != KIND:
        raise Malformed(f"its kind is {described(fields.get('kind'))}, not {KIND!r}")
    if fields.get("format") != FORMAT or fields["format"] is True:
        raise Malformed(f"its format is {described(fields.get('format'))}; this suite reads {FORMAT}")
    taken = Fields(fields, _FILE_FIELDS, closed=True)
    accepted = Accepted(
        subject=taken.text("subject"),
        release=taken.text("release"),
        tier=taken.text("tier"),
        seed=taken.integer("seed"),
        suite=taken.text("suite"),
        causes=taken.objects("causes", _decoded_cause),
    )
    _require_distinct(accepted.causes)
    return accepted


def _decoded_cause(fields: Mapping[str, object]) -> AcceptedCause:
    taken = Fields(fields, _CAUSE_FIELDS, closed=True)
    cause = AcceptedCause(
        reason=taken.text("reason"),
        what=taken.text("what"),
        cases=taken.count("cases"),
        case=taken.text("case"),
        symptoms=taken.objects("symptoms", _decoded_symptom),
    )
    if not cause.symptoms:
        raise Malformed("a cause has no 'symptoms'")
    return cause


def _decoded_symptom(fields: Mapping[str, object]) -> Symptom:
    taken = Fields(fields, Symptom._fields, closed=True)
    return Symptom(*(taken.text(name) for name in Symptom._fields))


def _require_distinct(accepted: Sequence[AcceptedCause]) -> None:
    names: List[Symptom] = [name for cause in accepted for name in cause.symptoms]
    if len(names) != len(set(names)):
        ((twice, _),) = Counter(names).most_common(1)
        raise Malformed(f"the symptom {' '.join(filter(None, twice))!r} stands in two causes")
