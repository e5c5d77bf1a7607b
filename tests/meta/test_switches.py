"""Every switch is exercised: an error in the table fails a run, and the run says which switch."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import pytest

from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from oracle.numerics.normalisation import output_values
from oracle.semantics import RELEASES, SWITCHES, Semantics, UnknownSwitch, semantics
from oracle.state import Counter, Expected, State, Tensor
from oracle.switch import Release, Switch
from reports.rows import FINDING, KNOWN_DEFECT
from tests.conformance import summary
from tests.meta import handmade, installed
from tests.meta.consulting import asking, candidates, consulted, walk
from tests.subject.module import eager
from tests.verdict.result import run
from tests.verdict.verdict import adjudicate

ROOT = Path(__file__).parents[2]
NAMES = [switch.name for switch in SWITCHES]
RUNNING = installed.RULES.release
NEIGHBOURS = dict(zip(RELEASES, RELEASES[1:]))
"""Maps a release to the one after it."""


def flip(rules: Semantics, name: str) -> Semantics:
    return dataclasses.replace(rules, holding=rules.holding ^ {name})


# --- the tables are well formed ---------------------------------------------------------------

SOURCE = re.compile(r"(measured|(PR )?#\d+)([,;] (measured|(PR )?#\d+))*")


@pytest.mark.parametrize("switch", SWITCHES, ids=NAMES)
def test_a_switch_is_well_formed(switch: Switch) -> None:
    assert re.fullmatch("[a-z][a-z0-9_]*", switch.name)
    assert NAMES.count(switch.name) == 1
    first = RELEASES[0] if switch.first is None else switch.first
    last = RELEASES[-1] if switch.last is None else switch.last
    assert first in RELEASES
    assert last in RELEASES
    assert first <= last
    # A bound at the end of the table is spelled None: else two spellings would have one meaning.
    assert switch.first != RELEASES[0]
    assert switch.last != RELEASES[-1]
    assert any(switch.holds_on(release) for release in RELEASES)
    assert not all(switch.holds_on(release) for release in RELEASES)
    for sentence in (switch.inside, switch.outside):
        assert re.fullmatch(r'["A-Z`a-z].{15,}[.")]', sentence, re.DOTALL), sentence
    assert switch.inside != switch.outside
    assert SOURCE.fullmatch(switch.source), switch.source
    assert set(switch.masked_by) <= set(NAMES) - {switch.name}


def test_the_oracle_asks_for_what_the_table_lists_and_for_nothing_else() -> None:
    asked = set()
    for path in sorted((ROOT / "oracle").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr == "holds":
                (name,) = node.args
                assert isinstance(name, ast.Constant), ast.dump(name)
                asked.add(name.value)
    assert asked == set(NAMES)


def hidden(switches: Tuple[Switch, ...]) -> List[str]:
    """Return the switches that are said to hold on a release where another hides them."""
    by_name = {switch.name: switch for switch in switches}
    return [
        switch.name
        for switch in switches
        for mask in switch.masked_by
        if any(switch.holds_on(r) and by_name[mask].holds_on(r) for r in RELEASES)
    ]


def test_no_switch_holds_where_it_is_hidden() -> None:
    assert hidden(SWITCHES) == []


# --- the other side of a switch ---------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_the_other_side_of_a_switch_fails_a_case_that_names_it(name: str) -> None:
    """The test runs torch's own BatchNorm2d on the installed release."""
    wrong = flip(installed.RULES, name)
    hiding = {mask for switch in SWITCHES if switch.name == name for mask in switch.masked_by}
    if hiding & installed.RULES.holding:
        pytest.skip("hidden on this release")
    tried = 0
    for case in asking(name, wrong):
        tried += 1
        decided = adjudicate(case, eager(installed.BATCH_NORM), wrong)
        if decided.outcome != FINDING:
            continue
        assert name in decided.results[0].switches
        assert adjudicate(case, eager(installed.BATCH_NORM), installed.RULES).outcome != FINDING
        print(f"{name}: {case.id} (number {tried} that asks)")
        return
    pytest.fail(f"none of {tried} cases that ask for {name} fails on its other side")


@pytest.mark.parametrize("name", NAMES)
def test_a_switch_that_was_removed_stops_the_run_by_name(name: str) -> None:
    rest = tuple(switch for switch in SWITCHES if switch.name != name)
    rules = semantics(RUNNING, switches=rest)
    case = next(asking(name, installed.RULES))
    with pytest.raises(UnknownSwitch, match=f"'{name}'.*oracle/semantics.py"):
        run(case, eager(installed.BATCH_NORM), rules)


# --- a boundary that is off by one release ----------------------------------------------------


def moves() -> Iterator[Tuple[str, Release, Tuple[Switch, ...]]]:
    """Yield every switch bound moved by one release: name, release affected, table."""
    before = {later: earlier for earlier, later in NEIGHBOURS.items()}
    for place, switch in enumerate(SWITCHES):
        moved: List[Tuple[Release, Switch]] = []
        first, last = switch.first, switch.last
        if first is None:
            moved.append((RELEASES[0], dataclasses.replace(switch, first=RELEASES[1])))
        else:
            moved.append((before[first], dataclasses.replace(switch, first=before[first])))
            moved.append((first, dataclasses.replace(switch, first=NEIGHBOURS[first])))
        if last is None:
            moved.append((RELEASES[-1], dataclasses.replace(switch, last=RELEASES[-2])))
        else:
            moved.append((NEIGHBOURS[last], dataclasses.replace(switch, last=NEIGHBOURS[last])))
            if last != RELEASES[0]:
                moved.append((last, dataclasses.replace(switch, last=before[last])))
            else:  # the interval has one release, and the move leaves none
                moved.append((last, dataclasses.replace(switch, first=RELEASES[-1], last=RELEASES[-1])))
        for release, other in moved:
            yield switch.name, release, (*SWITCHES[:place], other, *SWITCHES[place + 1 :])


MOVES = tuple(moves())


def shown(before: Optional[State], expected: Expected) -> Tuple[object, ...]:
    """Return all that the comparison looks at, as values that can be compared."""
    parts: List[object] = [expected.error, expected.copied, expected.text]
    output = expected.output
    if output is not None:
        parts += [output.memory_format, output.dtype, output.shape, output.requires_grad]
        values, _, undetermined = output_values(output)
        parts += [values.tobytes(), undetermined.tobytes()]
    for gradient in expected.gradients or ():
        parts.append(gradient and (gradient.name, gradient.dtype, gradient.memory_format, gradient.shape))
    state = expected.state
    for name, grad in state.grads():
        parts += [name, grad.strides, len(grad.parts), grad.dtype, grad.shape]
    parts += [(each.quantity, each.dtype, each.shape) for each in expected.derivatives]
    for name in TENSORS:
        entry = state.entry(name)
        old = None if before is None else before.entry(name)
        parts.append(entry is not None and old is not None and entry.identity is old.identity)
        if isinstance(entry, Tensor):
            parts += [entry.requires_grad, entry.numbers.values.tobytes()]
        parts.append(entry.value if isinstance(entry, Counter) else entry is None)
    return (*parts, *(getattr(state, name) for name in FLAGS))


def different(case: Case, one: Semantics, other: Semantics) -> bool:
    """Whether a subject that conforms to one semantics would have a finding under the other."""
    steps = [[repr(shown(*step)) for step in walk(case, rules)] for rules in (one, other)]
    return steps[0] != steps[1]


@pytest.mark.parametrize(
    ("name", "release", "table"),
    [
        pytest.param(*move, id="{}-{}.{}".format(move[0], *move[1]), marks=() if n % 6 == 0 else pytest.mark.long)
        for n, move in enumerate(MOVES)
    ],
)
def test_a_bound_off_by_one_release_is_caught_there(
    name: str, release: Release, table: Tuple[Switch, ...]
) -> None:
    """On the release whose side changes, some case expects something else and asks for the switch.

    A subject that behaves as the true table says has a finding there. Where another switch hides the
    question, the run says that the two intervals cannot both be right.
    """
    true, wrong = semantics(release), semantics(release, switches=table)
    assert true.holding ^ wrong.holding == {name}
    for case in asking(name, wrong):
        if different(case, true, wrong):
            return
    assert hidden(table) == [name]
    (line,) = [each for each in unexercised_on(wrong) if repr(name) in each]
    assert "hides it" in line


def test_equal_tables_expect_the_same() -> None:
    """This is the control of ``different``."""
    for case in candidates()[::10]:
        assert not different(case, semantics(RUNNING), semantics(RUNNING, switches=SWITCHES))


@pytest.mark.parametrize("name", NAMES)
def test_a_bound_that_moves_over_the_installed_release_fails_there(name: str) -> None:
    """torch itself runs: the interval is made to end, or not to end, at the installed release."""
    switch = next(each for each in SWITCHES if each.name == name)
    if set(switch.masked_by) & installed.RULES.holding:
        pytest.skip("hidden on this release")
    if switch.holds_on(RUNNING):
        other = dataclasses.replace(switch, first=None, last=RELEASES[RELEASES.index(RUNNING) - 1])
    else:
        other = dataclasses.replace(switch, first=None, last=RUNNING)
    table = tuple(other if each is switch else each for each in SWITCHES)
    wrong = semantics(RUNNING, switches=table)
    assert any(run(case, eager(installed.BATCH_NORM), wrong).findings for case in asking(name, wrong))


# --- a switch that nothing exercises ----------------------------------------------------------


def unexercised_on(rules: Semantics, *seen: str, outcome: str = "pass") -> List[str]:
    rows = [handmade.row("a", switches=seen, outcome=outcome)]
    return summary.unexercised(rows, rules.values())


@pytest.mark.parametrize("release", RELEASES, ids=[".".join(map(str, r)) for r in RELEASES])
def test_a_switch_that_no_case_meets_is_named(release: Release) -> None:
    rules = semantics(release)
    can_come_up = [s.name for s in SWITCHES if not set(s.masked_by) & rules.holding]
    lines = unexercised_on(rules)
    assert [re.findall("'([a-z0-9_]+)'", line)[0] for line in lines] == can_come_up
    for switch, line in zip((s for s in SWITCHES if s.name in can_come_up), lines):
        assert ("(inside" in line) == switch.holds_on(release)
        assert "oracle/semantics.py" in line
    assert unexercised_on(rules, *can_come_up) == []
    for name in can_come_up:
        (line,) = unexercised_on(rules, *(each for each in can_come_up if each != name))
        assert repr(name) in line


def test_a_finding_exercises_nothing_and_a_known_defect_does() -> None:
    rules = semantics(RUNNING)
    assert len(unexercised_on(rules, *NAMES, outcome="finding")) >= len(NAMES) - 2
    assert unexercised_on(rules, *NAMES, outcome=KNOWN_DEFECT) == []


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=pytest.mark.long)])
def test_the_candidates_meet_every_switch_on_every_release(every: int) -> None:
    """The run asks for them on each release, so no release leaves a switch unexercised."""
    for release in RELEASES[::every]:
        rules = semantics(release)
        seen = {name for case in candidates() for name in consulted(case.id, rules)}
        assert summary.unexercised([handmade.row("a", switches=tuple(seen))], rules.values()) == []


# --- releases ---------------------------------------------------------------------------------


def test_a_newer_release_gets_the_newest_semantics_and_an_older_none() -> None:
    newest = semantics(RELEASES[-1])
    newer = semantics((2, 99))
    assert (newer.holding, newer.in_table, newest.in_table) == (newest.holding, False, True)
    with pytest.raises(ValueError, match=r"torch 1\.3 is older than the table.*1\.4"):
        semantics((1, 3))


def test_releases_have_no_gap() -> None:
    for major in (1, 2):
        minors = [release[1] for release in RELEASES if release[0] == major]
        assert minors == list(range(minors[0], minors[-1] + 1))
    assert list(RELEASES) == sorted(RELEASES)
