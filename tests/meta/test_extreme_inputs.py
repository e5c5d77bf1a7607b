"""Numbers whose sums or squares overflow, in every layout: torch is right, or has a known defect."""

from __future__ import annotations

from typing import Dict

import numpy as np
import pytest

from cases import catalogue
from cases.errors import CaseError
from oracle.numerics import exact_sums
from reports.rows import KNOWN_DEFECT, PASS
from tests.conformance import own_input
from tests.meta import installed
from tests.subject.module import eager
from tests.verdict.verdict import Verdict, adjudicate

SIGNS = np.where(np.arange(16).reshape(2, 2, 2, 2) % 2, 1.0, -1.0)
EXTREME: Dict[str, np.ndarray] = {
    "sum": np.full((2, 2, 2, 2), 1e308),
    "partial_sum": np.array([1.7e308, 1.7e308, -1.7e308, -1.7e308, 1, 2, 3, 4]).reshape(2, 1, 2, 2),
    "deviation": 1.7e308 * SIGNS,
    "squares": 1.3e154 * SIGNS,
    "one_channel": np.stack([np.full((2, 2, 2), 1e308), np.arange(8.0).reshape(2, 2, 2)], axis=1),
    "float32_sum": np.full((2, 2, 2, 2), 3.2e38),
    "float32_squares": 1.5e19 * SIGNS,
    "float32_variance": 1e30 * SIGNS,
    "float16": 6e4 - 1e4 * np.arange(16.0).reshape(2, 2, 2, 2) % 7,
}
PROGRAMS = (
    "preset,input_grad:own{},backward:ones,eval,forward:own{}",
    "eval,input_grad:own{},backward:ordinary,train,no_grad:own{}",
)


def judged(case_id: str, values: np.ndarray) -> Verdict:
    case = own_input.filled(catalogue.find(case_id), values)
    return adjudicate(case, eager(installed.BATCH_NORM), installed.RULES)


@pytest.mark.parametrize("name", EXTREME)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "mixed_bfloat16"])
def test_extreme_numbers_are_judged(name: str, dtype: str) -> None:
    for layout in ("", ".channels_last", ".permuted", ".sliced"):
        for program in PROGRAMS:
            steps = program.format(layout, layout)
            decided = judged(f"steps-affine-track-momentum_0.1-bounded-n8-{dtype}-{steps}", EXTREME[name])
            assert decided.outcome in (PASS, KNOWN_DEFECT), (steps, decided.explanation)


@pytest.mark.skipif(installed.RULES.release < (1, 10), reason="1.9 and older divide the squares by n first")
def test_squares_whose_sum_alone_overflows_are_a_known_defect_of_dense_inputs() -> None:
    seen = {"": KNOWN_DEFECT, ".channels_last": KNOWN_DEFECT, ".permuted": PASS, ".sliced": PASS}
    for layout, outcome in seen.items():
        for steps in (f"forward:own{layout}", f"input_grad:own{layout},backward:ordinary{layout}"):
            case_id = f"steps-affine-track-momentum_0.1-bounded-n8-float32-{steps}"
            decided = judged(case_id, EXTREME["float32_squares"])
            assert decided.outcome == outcome, (steps, decided.explanation)
    nested = "set:track_running_stats:false,func_jvp_vjp:own:ordinary"
    decided = judged(f"steps-affine-track-momentum_0.1-bounded-n8-float32-{nested}", EXTREME["float32_squares"])
    assert decided.outcome == KNOWN_DEFECT, decided.explanation


@pytest.mark.parametrize("shape", ["n2", "n30"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "mixed_bfloat16"])
def test_a_variance_that_overflows_is_known_in_every_layout(shape: str, dtype: str) -> None:
    for layout in ("", ".channels_last", ".permuted", ".sliced", ".expanded", ".shifted"):
        for steps in (f"forward:overflowing{layout}", f"input_grad:overflowing{layout},backward:ordinary"):
            case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-{shape}-{dtype}-{steps}")
            decided = adjudicate(case, eager(installed.BATCH_NORM), installed.RULES)
            assert decided.outcome in (PASS, KNOWN_DEFECT), (steps, decided.explanation)


def test_a_sum_is_rounded_once_whatever_its_parts() -> None:
    values = EXTREME["partial_sum"].reshape(-1)
    assert exact_sums.total(values) == 10.0
    assert exact_sums.average(values) == 1.25
    assert exact_sums.total(np.full(3, 1e308)) == np.inf
    assert exact_sums.average(np.full(3, 1.5e308)) == 1.5e308
    assert exact_sums.total(np.array([0.1] * 10)) == 1.0


@pytest.mark.parametrize("name", ["two_dims", "three_dims", "five_dims"])
@pytest.mark.parametrize("layout", ["channels_last", "permuted"])
def test_a_layout_of_four_dimensions_is_refused_to_other_inputs(name: str, layout: str) -> None:
    with pytest.raises(CaseError, match=f"{layout} is a layout of 4 dimensions"):
        catalogue.find(f"steps-affine-track-momentum_0.1-bounded-n8-float32-forward:{name}.{layout}")


@pytest.mark.parametrize("layout", ["channels_last", "permuted", "sliced", "shifted"])
@pytest.mark.parametrize("name", ["no_batch", "no_height", "no_width", "no_channels", "empty_wrong_channels"])
def test_an_input_without_elements_has_the_strides_that_torch_gives_it(name: str, layout: str) -> None:
    for affine in ("affine", "no_affine"):
        case_id = f"steps-{affine}-track-momentum_0.1-bounded-n8-float32-forward:{name}.{layout}"
        decided = adjudicate(catalogue.find(case_id), eager(installed.BATCH_NORM), installed.RULES)
        assert decided.outcome in (PASS, KNOWN_DEFECT), (case_id, decided.explanation)
