"""The comparison of a step: whatever differs in an observation is a mismatch of just that quantity."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import pytest

from cases import catalogue
from cases.attributes import FLAGS, STATISTICS, TENSORS
from cases.case import Case
from cases.derivatives import GRADIENTS
from oracle.expectations import expectations
from oracle.expected_derivatives import DERIVATIVES
from tests.comparison.step import SHARED, compare
from tests.comparison.tally import Tally
from tests.meta import installed
from tests.subject.module import eager, observe
from tests.subject.observation import (
    Observation,
    ObservedDerivative,
    ObservedGrad,
    ObservedGradient,
    ObservedTensor,
    Raised,
)
from tests.verdict.completeness import IncompleteCase
from tests.verdict.result import compared, run

Change = Tuple[str, Observation]


class Program:
    """A case, what the oracle expects of it and what torch shows."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.expected = expectations(case, installed.RULES)
        self.observations = observe(case, installed.BATCH_NORM)

    def mismatches(self, place: int, got: Observation) -> List[str]:
        """Return the quantities that differ in one step, with this observation of it."""
        before = self.expected[place - 1].state if place else None
        tally = Tally()
        compare(before, self.expected[place], got, tally)
        return [each.quantity for each in tally.mismatches]


def programs() -> Iterator[Program]:
    """Return some cases of each family, without findings and without an exception in the constructor."""
    chosen = (*installed.small()[::24], *installed.small_edges()[::6], *installed.differentiated())
    ids = [case.id for case in chosen if case.variant.shape != "n102400"]
    for case_id in (*ids, next(iter(catalogue.ids("state", "gate")))):
        case = catalogue.find(case_id)
        if len(case.steps) > 300 and not case_id.startswith("state"):
            continue
        result = run(case, eager(installed.BATCH_NORM), installed.RULES)
        if not result.findings and 0 not in result.raising:
            yield Program(case)


def other(value: object) -> object:
    """Return a value of the same type that differs."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return 0.123
    return f"{value} and more"


def moved(values: np.ndarray) -> np.ndarray:
    """Return other numbers of the same dtype: clearly different, and a number where there was a NaN."""
    if values.dtype.kind == "i":
        return np.asarray(values + 1)
    finite = np.nan_to_num(values.astype(np.float64), posinf=1.0, neginf=1.0)
    with np.errstate(over="ignore"):  # of a 16-bit dtype
        return np.asarray((3.6e9 - 2.0 * finite).astype(values.dtype))


def replaced(values: Tuple[Any, ...], place: int, value: Any) -> Tuple[Any, ...]:
    return (*values[:place], value, *values[place + 1 :])


def tensor_changes(got: Observation) -> Iterator[Change]:
    """Yield the observation with one tensor changed."""
    for place, name in enumerate(TENSORS):
        tensor = got.tensors[place]
        if tensor is None:
            invented = ObservedTensor(np.ones(3), "float64", False, False)
            yield f"{name} present", got._replace(tensors=replaced(got.tensors, place, invented))
            continue
        same = replaced(got.same_objects, place, not got.same_objects[place])
        yield f"{name} is the same object", got._replace(same_objects=same)
        yield f"{name} present", got._replace(tensors=replaced(got.tensors, place, None))
        for label, changed in (
            (" dtype", tensor._replace(dtype="int8")),
            (" shape", tensor._replace(values=tensor.values[..., None])),
            (" requires_grad", tensor._replace(requires_grad=not tensor.requires_grad)),
            (" has a grad_fn", tensor._replace(has_grad_fn=not tensor.has_grad_fn)),
            ("", tensor._replace(values=moved(tensor.values))),
        ):
            yield name + label, got._replace(tensors=replaced(got.tensors, place, changed))


def output_changes(got: Observation) -> Iterator[Change]:
    """Yield the observation with the output changed."""
    output = got.output
    if output is None:
        return
    neither = output._replace(contiguous=False, channels_last=False)
    for label, changed in (
        ("output_dtype", output._replace(dtype="int8")),
        ("output_shape", output._replace(values=output.values[..., None])),
        ("output_strides", neither),
        ("output_shares_input", output._replace(shares_input=True)),
        ("output_requires_grad", output._replace(requires_grad=not output.requires_grad)),
        ("earlier_output_changed", output._replace(earlier_output_changed=True)),
        ("output", output._replace(values=moved(output.values))),
    ):
        yield label, got._replace(output=changed)
    yield "output present", got._replace(output=None)


def gradient_changes(got: Observation) -> Iterator[Change]:
    """Yield the observation with one gradient changed."""
    invented = ObservedGradient(np.ones(3), "float64", True, False, False)
    if got.gradients is None:
        yield "gradients present", got._replace(gradients=(invented,) * len(GRADIENTS))
        return
    yield "gradients present", got._replace(gradients=None)
    for place, (name, gradient) in enumerate(zip(GRADIENTS, got.gradients)):
        if gradient is None:
            other = replaced(got.gradients, place, invented)
            yield f"{name} gradient present", got._replace(gradients=other)
            continue
        for label, changed in (
            (" present", None),
            (" dtype", gradient._replace(dtype="int8")),
            (" shape", gradient._replace(values=gradient.values[..., None])),
            (" strides", gradient._replace(contiguous=False, channels_last=False)),
            (" requires_grad", gradient._replace(requires_grad=True)),
            ("", gradient._replace(values=moved(gradient.values))),
        ):
            other = replaced(got.gradients, place, changed)
            yield f"{name} gradient{label}", got._replace(gradients=other)


def grad_changes(got: Observation) -> Iterator[Change]:
    """Yield the observation with one .grad changed."""
    invented = ObservedGrad(np.ones(3), "float64", True, True, False)
    yield "grads present", got._replace(grads=(*got.grads, ("running_mean", invented)))
    for place, (name, grad) in enumerate(got.grads):
        yield "grads present", got._replace(grads=(*got.grads[:place], *got.grads[place + 1 :]))
        for label, changed in (
            (" dtype", grad._replace(dtype="int8")),
            (" shape", grad._replace(values=grad.values[..., None])),
            (" strides", grad._replace(contiguous=False, as_leaf=False)),
            (" requires_grad", grad._replace(requires_grad=True)),
            ("", grad._replace(values=moved(grad.values))),
        ):
            yield f"{name}.grad{label}", got._replace(grads=replaced(got.grads, place, (name, changed)))


def second_changes(got: Observation) -> Iterator[Change]:
    """Yield the observation with second and third derivatives and tangents changed."""
    invented = ObservedDerivative(np.ones(3), "float64")
    invented_too = (*got.derivatives, ("bias 2nd gradient", invented))
    yield "derivatives present", got._replace(derivatives=invented_too)
    for place, (name, second) in enumerate(got.derivatives):
        yield "derivatives present", got._replace(derivatives=got.derivatives[:place])
        for label, changed in (
            (" dtype", second._replace(dtype="int8")),
            (" shape", second._replace(values=second.values[..., None])),
            ("", second._replace(values=moved(second.values))),
        ):
            other = replaced(got.derivatives, place, (name, changed))
            yield name + label, got._replace(derivatives=other)


def changes(got: Observation) -> Iterator[Change]:
    """Yield every way in which one observation may differ, by quantity."""
    for place, name in enumerate(FLAGS):
        flag = got.flags[place]
        yield name, got._replace(flags=replaced(got.flags, place, other(flag)))
        if isinstance(flag, (bool, int)):
            yield name, got._replace(flags=replaced(got.flags, place, float(flag)))
    yield "input_changed", got._replace(input_changed=True)
    raised = Raised("OSError", "invented") if got.raised is None else None
    yield "exception", got._replace(raised=raised)
    if got.raised is not None:
        yield "exception", got._replace(raised=got.raised._replace(kind="OSError"))
        yield "exception", got._replace(raised=got.raised._replace(message="invented"))
    if got.text is not None:
        yield "text", got._replace(text=f"{got.text} and more")
    yield from output_changes(got)
    yield from tensor_changes(got)
    yield from gradient_changes(got)
    yield from grad_changes(got)
    yield from second_changes(got)


def is_empty(quantity: str, got: Observation) -> bool:
    """Whether the array has no element that could differ."""
    arrays = {f"{name}.grad": grad.values for name, grad in got.grads}
    arrays.update((name, derivative.values) for name, derivative in got.derivatives)
    if got.output is not None:
        arrays["output"] = got.output.values
    for name, gradient in zip(GRADIENTS, got.gradients or ()):
        if gradient is not None:
            arrays[f"{name} gradient"] = gradient.values
    return quantity in arrays and not arrays[quantity].size


def test_whatever_differs_is_a_mismatch_of_that_quantity() -> None:
    """One quantity in one step is changed at a time.

    Steps take turns. The first and the last are included, and those with the .grad of a statistic or with
    a text, which are few.
    """
    met: Dict[str, int] = {}
    for turn, program in enumerate(programs()):
        steps = len(program.observations)
        grads_of = [{name for name, _ in each.grads} for each in program.observations]
        rare = [n for n, names in enumerate(grads_of) if names & {*STATISTICS}]
        rare += [n for n, each in enumerate(program.observations) if each.text is not None]
        for place in {0, steps - 1, *range(turn % 9, steps, 9), *rare}:
            got = program.observations[place]
            assert program.mismatches(place, got) == []
            for quantity, changed in changes(got):
                if is_empty(quantity, got):
                    continue
                found = program.mismatches(place, changed)
                assert found, (program.case.id, place, quantity)
                assert found[0].startswith(quantity), (program.case.id, place, quantity, found)
                met[quantity] = met.get(quantity, 0) + 1
    aspects = ("", " dtype", " shape", " present", " requires_grad", " has a grad_fn", " is the same object")
    outputs = ("", "_strides", "_dtype", "_shape", "_requires_grad", "_shares_input", " present")
    quantities = {*FLAGS, "exception", "text", "input_changed", "earlier_output_changed"}
    quantities |= {f"{name}{aspect}" for name in TENSORS for aspect in aspects}
    quantities |= {f"output{aspect}" for aspect in outputs} | {"gradients present"}
    gradients = ("", " dtype", " shape", " strides", " requires_grad", " present")
    quantities |= {f"{name} gradient{aspect}" for name in GRADIENTS for aspect in gradients}
    grads = ("", " dtype", " shape", " strides", " requires_grad")
    owners = (*GRADIENTS, *STATISTICS)
    quantities |= {f"{name}.grad{aspect}" for name in owners for aspect in grads} | {"grads present"}
    quantities |= {f"{name}{aspect}" for name in DERIVATIVES for aspect in ("", " dtype", " shape")}
    quantities |= {"derivatives present"}
    assert quantities == set(met)
    assert {name: times for name, times in met.items() if times <= 3} == {}


def test_memory_shared_with_the_original_is_a_mismatch() -> None:
    case = next(c for c in installed.small() if "deepcopy" in c.id.split("-"))
    program = Program(case)
    place = next(n for n, each in enumerate(program.expected) if each.copied)
    got = program.observations[place]
    assert program.mismatches(place, got) == []
    assert program.mismatches(place, got._replace(shared=("bias",))) == [SHARED]


@pytest.mark.parametrize("cut", [1, 2])
def test_an_observation_too_few_is_an_error(cut: int) -> None:
    program = Program(installed.small()[0])
    with pytest.raises(IncompleteCase):
        compared(program.case, program.expected, program.observations[:-cut])


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (1, True),
        (1.0, 1),
        (0.0, False),
        ("1", 1),
        (None, False),
        (np.float64(1.0), 1.0),
        (float("nan"), 1.0),
    ],
)
def test_equal_means_of_the_same_type_too(got: object, want: object) -> None:
    tally = Tally()
    tally.equal(("momentum",), (got,), (want,))
    assert [each.quantity for each in tally.mismatches] == ["momentum"]
    tally = Tally()
    tally.equal(("momentum",), (want,), (want,))
    tally.equal(("momentum",), (float("nan"),), (float("nan"),))
    assert (tally.mismatches, dict(tally.compared)) == ([], {"momentum": 2})
