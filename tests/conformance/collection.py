"""pytest items for cases: one item a case, nothing built before it runs."""

from __future__ import annotations

import contextlib
import shlex
from argparse import ArgumentTypeError
from itertools import islice
from typing import TYPE_CHECKING, Any, Iterator, List, NamedTuple, Optional, Tuple

import pytest

from cases import catalogue
from cases.case import Case
from cases.programs import spelled
from oracle.semantics import Semantics, parse_release, semantics
from reports.revision import suite_revision
from reports.rows import CaseRow
from tests import preflight
from tests.subject import foreign

if TYPE_CHECKING:  # which imports torch; collecting does without
    from tests.verdict import Verdict

DEFAULT_SUBJECT = "torch.nn:BatchNorm2d"


class Cases(NamedTuple):
    """Stands in a test module for all cases of a family, as a parametrised function would."""

    family: str


class Failure(Exception):
    """A case whose outcome is a finding; the text is the whole report."""


class Session(NamedTuple):
    """What every case of a run shares; built when the first case runs, so that collecting needs no
    torch."""

    factory: Any
    semantics: Semantics
    subject: str
    header: Any
    strict_defects: bool
    record: bool
    again: str
    forecast: Any


def session_of(config: pytest.Config) -> Session:
    """The run's session, built once; raises preflight.Unusable for an unusable subject or torch."""
    existing = getattr(config, "_bn_session", None)
    if existing is not None:
        return existing  # type: ignore[no-any-return]
    option = config.option
    factory = preflight.load(option.subject)
    from tests import forecast, recording
    from tests.subject import loading

    try:
        environment = loading.environment(option.threads)
        rules = semantics(parse_release(option.semantics or environment.version))
    except ValueError as error:
        raise preflight.Unusable(str(error)) from error
    header = recording.header(
        environment.version,
        environment.threads,
        option.subject,
        rules,
        option.tier,
        option.seed,
        selection(config),
        suite_revision(config.rootpath),
    )
    session = Session(
        factory,
        rules,
        option.subject,
        header,
        option.subject == DEFAULT_SUBJECT,
        bool(option.report),
        again(option),
        forecast.Forecast(rules),
    )
    config._bn_session = session  # type: ignore[attr-defined]
    return session


def again(option: Any) -> str:
    """The options without which a case's id does not give the same result, each after a space."""
    words = []
    for name, default in (("subject", DEFAULT_SUBJECT), ("semantics", None), ("threads", 1), ("seed", 0)):
        given = getattr(option, name)
        if given != default:
            words.append(f" --{name} {shlex.quote(str(given))}")
    return "".join(words)


def selection(config: pytest.Config) -> Optional[str]:
    """What narrows the run to a part of the tier, as text; None for the whole of it."""
    option = config.option
    parts = []
    if option.case:
        parts.append("--case " + " ".join(option.case))
    if option.keyword:
        parts.append(f"-k {option.keyword}")
    if option.markexpr:
        parts.append(f"-m {option.markexpr}")
    if option.shard != (1, 1):
        parts.append("--shard {}/{}".format(*option.shard))
    if getattr(option, "maxfail", 0):
        parts.append(f"--maxfail {option.maxfail}")
    for name in ("lf", "stepwise", "deselect", "ignore", "ignore_glob"):
        if getattr(option, name, None):
            parts.append(f"--{name}")
    paths = [str(argument) for argument in config.args]
    whole = {"tests/conformance", str(config.rootpath / "tests" / "conformance"), str(config.rootpath)}
    if not set(paths) & (whole | {"tests", "."}):
        parts.append(" ".join(paths))
    return "; ".join(parts) or None


@contextlib.contextmanager
def observing(case_id: str, options: str) -> Iterator[None]:
    """Turns whatever a subject raises past its observation into a Failure: exits and skips, too.

    An error of the suite stays what it is, and so does an interrupt from the keyboard.
    """
    try:
        yield
    except (Failure, KeyboardInterrupt):
        raise
    except BaseException as error:
        if not foreign.met(error):
            raise
        raise Failure(
            f"{case_id}\n\nthe subject cannot be observed: {foreign.said(error)}\n"
            f"  raised at {foreign.place(error)}\n\nrun it again: pytest --case '{case_id}'{options}"
        ) from error


def report(decided: Verdict, case: Case, session: Session) -> str:
    """The whole text on a finding of this run."""
    from tests import explain

    return explain.report(
        decided,
        case,
        session.factory,
        session.subject,
        session.semantics,
        session.again,
        session.header.threads,
    )


class CaseItem(pytest.Item):
    """One case. Holds its id; the case itself is rebuilt from it when it runs."""

    def __init__(self, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id
        self.row: Optional[CaseRow] = None

    def runtest(self) -> None:
        """Runs the case; raises Failure, or pytest's xfail for a known defect."""
        session = session_of(self.config)
        with observing(self.case_id, session.again):
            known = self._judge(session)
        if known is not None:
            pytest.xfail(known)

    def _judge(self, session: Session) -> Optional[str]:
        """Why the case is to be expected to fail, if it is; raises Failure for a finding."""
        from tests import recording, verdict

        case, foreseen = session.forecast.of(self.case_id, self._following())
        decided = verdict.adjudicate(
            case,
            session.factory,
            session.semantics,
            session.record,
            session.strict_defects,
            foreseen,
        )
        self.row = recording.row(decided)
        if decided.outcome == verdict.FINDING:
            raise Failure(report(decided, case, session))
        if decided.outcome == verdict.KNOWN_DEFECT:
            assert decided.defect is not None
            return f"known defect {decided.defect.name}: {decided.explanation}"
        return None

    def _following(self) -> Iterator[str]:
        """The ids of the cases after this one, which will run soon."""
        items = self.session.items
        for each in islice(items, items.index(self) + 1, None):
            if isinstance(each, CaseItem):
                yield each.case_id

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> Any:
        """A finding's report and a known defect without a traceback; anything else as pytest has it."""
        if isinstance(excinfo.value, (Failure, pytest.xfail.Exception)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> Tuple[Any, Optional[int], str]:
        """Where pytest says the case is."""
        return self.path, None, self.name


def _ids(family: str, option: Any) -> Iterator[str]:
    if option.case:
        return (each for each in dict.fromkeys(option.case) if catalogue.family_of(each) == family)
    chosen = catalogue.select(family, option.tier, option.shard)
    if option.seed and family == "matrix":
        return (f"{each}-seed{option.seed}" for each in chosen)
    return chosen


def collect(cases: Cases, name: str, collector: Any) -> List[CaseItem]:
    """The items of a family that the options ask for."""
    option = collector.config.option
    return [
        CaseItem.from_parent(collector, name=f"{name}[{each}]", case_id=each)
        for each in _ids(cases.family, option)
    ]


def id_in(nodeid: str) -> Tuple[str, ...]:
    """The case's id in the node id of a case, nothing for another test."""
    where, _, rest = nodeid.partition("::")
    found = rest.partition("[")[2][:-1]
    ours = found.partition("-")[0] in (*catalogue.FAMILIES, spelled.FAMILY)
    return (found,) if ours and "conformance" in where else ()


def parse_shard(text: str) -> Tuple[int, int]:
    """``i/n`` with 1 <= i <= n; raises ArgumentTypeError, which argparse reports in one line."""
    number, _, count = text.partition("/")
    digits = number + count
    if digits.isascii() and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise ArgumentTypeError(f"{text!r}: I/N with 1 <= I <= N is accepted, as in 1/4")
