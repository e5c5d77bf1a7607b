"""The parts of a script: the lines of every step, batches bit for bit, and what is printed."""

from __future__ import annotations

import re
from typing import Dict, Iterator, Tuple, get_args

import numpy as np
import pytest
import torch

from cases import catalogue, steps
from cases.attributes import FLAGS, TENSORS
from cases.case import Case
from cases.inputs import batch
from cases.inputs.regimes import VALUES
from cases.programs import spelled
from cases.programs.alphabet import ALPHABET
from cases.steps import Copy, Forward, Forwards, Step
from cases.variants import EVERY_LAYOUT, LAYOUTS, Variant
from tests.comparison import step as comparison
from tests.comparison.judgement import Mismatch
from tests.failure import descriptions, literals, phrases, smaller_inputs, step_lines, writing
from tests.failure.rebuilding import FORMULAS
from tests.failure.replay import got, printed
from tests.failure.script import FailingProgram, script
from tests.meta import installed
from tests.subject.inputs import Input
from tests.subject.module import observe
from tests.subject.reading import numbers
from tests.verdict.result import Finding

TORCH = "torch.nn:BatchNorm2d"
START = "steps-affine-track-momentum_0.1"


def finding(quantity: str, step: int, index: Tuple[int, ...] = ()) -> Finding:
    return Finding(Mismatch(quantity, index, "?", "!"), step, "", "", ())


def shown(case: Case, quantity: str, index: Tuple[int, ...] = (), raising: Tuple[int, ...] = ()) -> FailingProgram:
    return FailingProgram(case, finding(quantity, len(case.steps), index), raising, {})


# --- completeness of the tables ------------------------------------------------------------------


def test_every_step_type_has_lines() -> None:
    assert set(step_lines.LINES) == set(get_args(Step))


def test_every_word_of_a_step_has_a_phrase() -> None:
    assert set(phrases.COPIES) == set(steps.COPIES)
    assert set(descriptions.DESCRIBED) == {*steps.SHOWN, *steps.TRIED}
    assert set(phrases.LAYOUTS) == set(EVERY_LAYOUT)


def test_every_quantity_of_a_forward_or_tensor_has_a_phrase() -> None:
    outputs = {name for names in comparison.OUTPUT.values() for name in names}
    assert outputs <= set(phrases.OUTPUT)
    of_tensors = {name for table in (comparison.FACTS, comparison.PRESENT) for each in table.values() for name in each}
    assert {name.partition(" ")[2] for name in of_tensors} | {""} == set(phrases.TENSOR)
    of_gradients = {name.partition(" gradient ")[2] for each in comparison.GRADIENT.values() for name in each}
    assert of_gradients | {"present"} == set(phrases.GRADIENT)
    assert {name.partition(" ")[2] for each in comparison.GRAD.values() for name in each} == set(phrases.GRAD)
    rest = set(comparison.STEP) - set(FLAGS) - set(phrases.OUTPUT) - {"output present", "gradients present"}
    rest -= {"grads present", "derivatives present"}
    seconds = {name.rpartition(" ")[2] for each in comparison.DERIVATIVE.values() for name in each}
    assert seconds <= set(phrases.GRAD)
    assert rest == set()


def seen_in(case: Case) -> Iterator[Tuple[str, str]]:
    """Return quantities that torch's own module shows after a program, as a script prints them."""
    last = observe(case, installed.BATCH_NORM)[-1]
    for name, tensor in zip(TENSORS, last.tensors):
        yield f"{name} present", repr(tensor is not None)
        if tensor is not None:
            yield name, repr(tensor.values.tolist())
            yield f"{name} requires_grad", repr(tensor.requires_grad)
    yield from ((name, repr(value)) for name, value in zip(FLAGS, last.flags))
    if last.text is not None:
        yield "text", repr(last.text)


STEPS = tuple(dict.fromkeys(ALPHABET))
ON_DTYPES = [(step, "float64") for step in STEPS] + [(step, "mixed_bfloat16") for step in STEPS[::5]]


@pytest.mark.parametrize(("step", "dtype"), ON_DTYPES, ids=str)
def test_the_lines_of_a_step_do_what_the_suite_does(step: Step, dtype: str) -> None:
    """The steps are all of the alphabet, after two forwards, on a module with known numbers."""
    variant = Variant("bounded", "n2", dtype)
    program = (Forward("b0"), Forward("b1"), steps.PRESET, step)
    case = spelled.case(("affine", "track", "momentum_0.1"), variant, program)
    raising = tuple(n for n, each in enumerate(observe(case, installed.BATCH_NORM)) if each.raised)
    for quantity, value in seen_in(case):
        text = script(shown(case, quantity, (), raising), TORCH)
        assert got(printed(text)) == value, text


# --- batches ---------------------------------------------------------------------------------------


def tensor_of(text: str) -> torch.Tensor:
    """Return the tensor of an expression."""
    space: Dict[str, torch.Tensor] = {}
    exec(f"from math import inf, nan\nimport numpy as np, torch\nx = {text}", space)
    return space["x"]


def made(text: str) -> np.ndarray:
    """Return the tensor of an expression, in NumPy, with its strides."""
    return tensor_of(text).numpy()


NAMES = (
    "b0", "b1", "nan", "inf", "constant", "overflowing", "integers", "wrong_float", "no_batch", "no_height",
    "one_value", "three_dims", "wrong_channels", "no_channels",
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_written_out_bit_for_bit(name: str, dtype: str) -> None:
    """Subnormal numbers, signed zeros, NaN and infinities are included."""
    case = catalogue.find(f"{START}-nonfinite-n8-{dtype}-forward:{name}")
    given = batch(case.variant, name)
    again = tensor_of(writing.Writing(case, {}).batch(name))
    assert str(again.dtype) == f"torch.{given.dtype}"
    assert tuple(again.shape) == given.values.shape
    values = numbers(again).astype(given.values.dtype)
    known = ~np.isnan(given.values)  # two NaN may differ in their bits
    assert values[known].tobytes() == given.values[known].tobytes()
    assert np.isnan(values[~known]).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_batch_has_the_strides_of_its_layout(layout: str) -> None:
    case = catalogue.find(f"{START}-bounded-n8-float32-forward:b1")
    name = f"b1.{layout}"
    real = Input(batch(case.variant, name)).tensor
    again = made(writing.Writing(case, {}).batch(name))
    assert again.strides == tuple(4 * stride for stride in real.stride())
    assert np.array_equal(again, real.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "float16", "bfloat16"])
@pytest.mark.parametrize(("scale", "middle"), [(1.0, 0.0), (0.123, 1e6), (1e-20, -3.0)])
def test_a_pattern_is_the_same_in_torch(dtype: str, scale: float, middle: float) -> None:
    shape = [2, 3, 4, 5]
    values = literals.pattern(shape, dtype, scale, middle)
    again = numbers(tensor_of(literals.pattern_text(shape, dtype, scale, middle)))
    assert again.astype(values.dtype).tobytes() == values.tobytes()


@pytest.mark.parametrize("k", [0, 1, 9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_channel_is_rebuilt_from_integers_bit_for_bit(dtype: str, k: int) -> None:
    """The test covers every regime that is pseudo-random; the others are short anyway."""
    case = catalogue.find(f"{START}-bounded-n256-{dtype}-forward:b{k}-seed7")
    rebuilt = 0
    for channel in range(11):
        one = next(smaller_inputs.fewer_channels(case, channel))
        for text in smaller_inputs.rebuilding(case, one, channel).values():
            rebuilt += 1
            expected = batch(case.variant, f"b{k}").values[:, channel : channel + 1]
            again = made_with_bell(text)
            assert (again.shape, again.tobytes()) == (expected.shape, np.ascontiguousarray(expected).tobytes())
    assert rebuilt == len(FORMULAS)
    assert set(VALUES) - set(FORMULAS) == {"constant", "signed_zeros"}


def made_with_bell(text: str) -> np.ndarray:
    from tests.failure.rebuilding import BELL

    space: Dict[str, object] = {}
    exec("\n".join(["import numpy as np, torch", *BELL, f"x = {text}"]), space)
    return space["x"].numpy()  # type: ignore[attr-defined]


# --- whole scripts -----------------------------------------------------------------------------------


def test_steps_that_raise_do_not_stop_a_script() -> None:
    """A step before the last may raise, and so may the last, which counts although refused."""
    case = catalogue.find("steps-affine-track-momentum_none-bounded-n8-float32-forward:one_value,forward:one_value")
    text = script(shown(case, "num_batches_tracked", (), (1, 2)), TORCH)
    assert text.count("with contextlib.suppress(Exception): y = m(") == 2
    assert printed(text) == "got      2\nexpected !\n"
    assert printed(script(shown(case, "num_batches_tracked"), TORCH)).startswith("ValueError")


def test_a_forward_has_its_own_line() -> None:
    """The lines include every forward."""
    for case in installed.small()[::9]:
        for number, step in enumerate(case.steps, 1):
            if isinstance(step, Forward):
                lines = step_lines.lines(writing.Writing(case, TEXTS), number)
                assert sum(CALL.search(line) is not None for line in lines) == 1


CALL = re.compile(r"= m\(|= torch.no_grad\(\)\(m|, m\(x\)|, torch.no_grad\(\)\(m")


class _AnyText(Dict[str, str]):
    """Has a text for every batch."""

    def get(self, name: str, default: object = None) -> str:  # type: ignore[override]
        return "x"


TEXTS = _AnyText()


def test_a_long_series_of_one_batch_is_a_loop() -> None:
    case = catalogue.find(f"{START}-bounded-n2-float32-forwards:b:300")
    alike = next(smaller_inputs.plainer(case)).case
    text = script(shown(alike, "num_batches_tracked"), TORCH)
    assert "for _ in range(299): y = m(" in text
    assert printed(text).startswith("got      300\n")
    assert isinstance(case.steps[0], Forwards)


def test_what_is_too_large_is_not_written() -> None:
    case = catalogue.find(f"{START}-bounded-n256-float32-forward:b0")
    with pytest.raises(writing.Unwritable, match="b0 has 2,816 values"):
        script(shown(case, "output", (0, 0, 0, 0)), TORCH)


def test_a_script_needs_torch_alone() -> None:
    case = catalogue.find(f"{START}-bounded-n8-float32-forward:b0,deepcopy,set:eps:inf,pickle,state_dict")
    text = script(shown(case, "eps"), TORCH)
    imports = [line for line in text.splitlines() if "import" in line]
    assert imports == ["from math import inf", "import copy, pickle, torch"]
    assert any(isinstance(step, Copy) for step in case.steps)


def test_settings_of_this_process_are_in_the_script() -> None:
    case = catalogue.find(f"{START}-bounded-n8-float32-forward:b0")
    text = script(shown(case, "eps"), TORCH, 2, ("torch.set_default_dtype(torch.float64)",))
    assert "torch.set_default_dtype(torch.float64)\ntorch.set_num_threads(2)\nm = " in text
    assert "set_num_threads" not in script(shown(case, "eps"), TORCH, 1)


def test_a_large_batch_makes_the_threads_matter() -> None:
    case = catalogue.find(f"{START}-bounded-n4096-float32-forward:constant")
    assert "torch.set_num_threads(1)" in script(shown(case, "eps"), TORCH, 1)
