"""``tests.agreement`` says yes where ``tests.compare`` finds nothing, and only there."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import pytest

from cases import catalogue
from cases.case import Case
from oracle.defects import covering
from oracle.state import Expected
from tests.agreement import Columns, agreed
from tests.compare import Tally, compare
from tests.forecast import expectations
from tests.lockstep import run
from tests.meta import installed
from tests.subject.observation import FLAGS, TENSORS, Observation, Raised

Observations = List[Observation]
Change = Tuple[str, Observation]


def seen(case: Case) -> Tuple[Sequence[Expected], Observations]:
    """What the oracle expects and torch shows."""
    found: Observations = []

    def witness(number: int, expected: Expected, got: Observation) -> None:
        found.append(got)

    assert not run(case, installed.BATCH_NORM, installed.RULES, witness=witness).findings
    return expectations(case, installed.RULES), found


def in_steps(expected: Sequence[Expected], got: Sequence[Observation]) -> Tally:
    """What the comparison step by step finds, all steps long."""
    tally = Tally(False)
    before: Optional[Any] = None
    for each, observation in zip(expected, got):
        compare(before, each, observation, tally)
        before = each.state
    return tally


def other(value: object) -> object:
    """A value of the same type that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    return f"{value} and more"


def replaced(values: Tuple[Any, ...], place: int, value: Any) -> Tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def tensor_changes(got: Observation) -> Iterator[Change]:
    """One tensor seen otherwise."""
    for place, name in enumerate(TENSORS):
        tensor = got.tensors[place]
        same = replaced(got.same_objects, place, not got.same_objects[place])
        if tensor is None:
            continue
        yield f"{name} is the same object", got._replace(same_objects=same)
        yield f"{name} present", got._replace(tensors=replaced(got.tensors, place, None))
        facts = tensor.facts
        for label, changed in (
            ("dtype", facts._replace(dtype="float16")),
            ("shape", facts._replace(shape=(*facts.shape, 1))),
            ("requires_grad", facts._replace(requires_grad=not facts.requires_grad)),
            ("has a grad_fn", facts._replace(has_grad_fn=not facts.has_grad_fn)),
        ):
            altered = replaced(got.tensors, place, tensor._replace(facts=changed))
            yield f"{name} {label}", got._replace(tensors=altered)
        moved = (tensor.values + 1).astype(tensor.values.dtype)
        altered = replaced(got.tensors, place, tensor._replace(data=moved.tobytes()))
        yield name, got._replace(tensors=altered)


def output_changes(got: Observation) -> Iterator[Change]:
    """The output seen otherwise."""
    output = got.output
    if output is None:
        return
    for label, changed in (
        ("output_dtype", output._replace(dtype="float16")),
        ("output_shape", output._replace(values=output.values[..., None])),
        ("output_strides", output._replace(contiguous=not output.contiguous)),
        ("output_shares_input", output._replace(shares_input=True)),
        ("output_requires_grad", output._replace(requires_grad=not output.requires_grad)),
        ("output", output._replace(values=output.values + 1)),
    ):
        yield label, got._replace(output=changed)
    yield "earlier_output_changed", got._replace(earlier_output_changed=True)
    yield "output present", got._replace(output=None)


def changes(got: Observation) -> Iterator[Change]:
    """Every way in which one observation may differ, by quantity."""
    for place, name in enumerate(FLAGS):
        flag = got.flags[place]
        if flag != flag:  # a NaN has no other value that differs
            continue
        yield name, got._replace(flags=replaced(got.flags, place, other(flag)))
        if isinstance(flag, (bool, int)):
            yield name, got._replace(flags=replaced(got.flags, place, float(flag)))
    yield "input_changed", got._replace(input_changed=True)
    raised = Raised("OSError", "invented") if got.raised is None else None
    yield "exception", got._replace(raised=raised)
    if got.raised is not None:
        yield "exception", got._replace(raised=got.raised._replace(kind="OSError"))
        yield "exception", got._replace(raised=got.raised._replace(message="invented"))
    if got.shown is not None:
        yield "shown", got._replace(shown=f"{got.shown} and more")
    yield from output_changes(got)
    yield from tensor_changes(got)


def cases() -> Iterator[Case]:
    yield from installed.small()[::12]
    edges = (case for case in installed.edges() if case.variant.shape == "n8")
    yield from (case for case in edges if covering(case.id, installed.RULES.release) is None)
    yield catalogue.find(next(iter(catalogue.ids("state", "gate"))))


def test_torch_agrees_both_ways_and_as_much_is_compared() -> None:
    for case in cases():
        expected, got = seen(case)
        quickly, slowly = agreed(Columns.of(expected), got, False), in_steps(expected, got)
        assert quickly is not None
        assert not slowly.mismatches
        assert dict(quickly.compared) == dict(slowly.compared)
        assert quickly.agreeing() == slowly.agreeing()


def test_whatever_differs_is_no_agreement() -> None:
    """One thing in one step at a time; steps take turns, the first and the last among them."""
    met: Dict[str, int] = {}
    for turn, case in enumerate(cases()):
        expected, got = seen(case)
        for place in {0, len(got) - 1, *range(turn % 5, len(got), 5)}:
            for quantity, changed in changes(got[place]):
                altered = [*got[:place], changed, *got[place + 1 :]]
                slowly = in_steps(expected, altered).mismatches
                quickly = agreed(Columns.of(expected), altered, False)
                assert (quickly is None) == bool(slowly), (case.id, place, quantity)
                if slowly:
                    assert any(each.quantity.startswith(quantity) for each in slowly)
                    met[quantity] = met.get(quantity, 0) + 1
    of_tensors = {f"{name}{aspect}" for name in TENSORS for aspect in ("", " dtype", " shape", " present")}
    assert {*FLAGS, "exception", "shown", "output", "output_strides", "input_changed"} | of_tensors <= set(met)
    assert min(met.values()) > 3, met


def test_memory_shared_with_the_original_is_no_agreement() -> None:
    case = catalogue.find("edge-eps-eps_0.0_untracked")
    copied = next(c for c in installed.small() if "deepcopy" in c.id.split("-"))
    expected, got = seen(case)
    assert agreed(Columns.of(expected), got, False) is not None
    expected, got = seen(copied)
    place = next(n for n, each in enumerate(expected) if each.copied)
    altered = [*got[:place], got[place]._replace(shared=("bias",)), *got[place + 1 :]]
    assert agreed(Columns.of(expected), altered, False) is None
    assert in_steps(expected, altered).mismatches


@pytest.mark.parametrize("cut", [0, 1])
def test_a_step_too_few_is_no_agreement(cut: int) -> None:
    expected, got = seen(installed.small()[0])
    assert agreed(Columns.of(expected), got[: len(got) - 1 - cut], False) is None
