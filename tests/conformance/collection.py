"""pytest items for cases: one item a case, nothing built before it runs."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

import pytest

from cases import catalogue
from cases.errors import CaseError
from oracle.semantics import Semantics, parse_release, semantics
from reports.revision import suite_revision


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


def session_of(config: pytest.Config) -> Session:
    """The run's session, built once; raises pytest.UsageError for an unusable subject or torch."""
    existing = getattr(config, "_bn_session", None)
    if existing is not None:
        return existing  # type: ignore[no-any-return]
    from tests import recording
    from tests.subject import loading

    option = config.option
    try:
        factory = loading.load(option.subject)
        environment = loading.environment(option.threads)
        rules = semantics(parse_release(option.semantics or environment.version))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error
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
        option.subject == loading.DEFAULT,
        bool(option.report),
    )
    config._bn_session = session  # type: ignore[attr-defined]
    return session


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


class CaseItem(pytest.Item):
    """One case. Holds its id; the case itself is rebuilt from it when it runs."""

    def __init__(self, case_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.case_id = case_id
        self.row: Optional[str] = None

    def runtest(self) -> None:
        """Runs the case; raises Failure, or pytest's xfail for a known defect."""
        from reports.encoding import encode_case
        from tests import explain, recording, verdict

        session = session_of(self.config)
        case = catalogue.find(self.case_id)
        decided = verdict.adjudicate(
            case, session.factory, session.semantics, session.record, session.strict_defects
        )
        self.row = encode_case(recording.row(decided))
        if decided.outcome == verdict.KNOWN_DEFECT:
            assert decided.defect is not None
            pytest.xfail(f"known defect {decided.defect.name}: {decided.explanation}")
        if decided.outcome == verdict.FINDING:
            raise Failure(
                explain.report(decided, case, session.factory, session.subject, session.semantics)
            )

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
        return (each for each in option.case if catalogue.family_of(each) == family)
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


def checked_ids(ids: List[str]) -> None:
    """Raises pytest.UsageError when an id names no case."""
    for each in ids:
        try:
            catalogue.find(each)
        except CaseError as error:
            raise pytest.UsageError(str(error)) from error


def parse_shard(text: str) -> Tuple[int, int]:
    """``i/n`` with 1 <= i <= n; raises ArgumentTypeError, which argparse reports in one line."""
    number, _, count = text.partition("/")
    digits = number + count
    if digits.isascii() and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise ArgumentTypeError(f"{text!r}: I/N with 1 <= I <= N is accepted, as in 1/4")
