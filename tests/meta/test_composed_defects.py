"""A program in the circumstances of two known defects must show both."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from oracle.defects import DEFECTS
from reports.rows import FINDING, KNOWN_DEFECT, PASS
from tests.meta import fakes, installed
from tests.meta.liars.honest import HonestBatchNorm2d
from tests.meta.test_defects import RUNNING

TWO = "steps-affine-track-momentum_0.1-exact-n8-float32-forward:{},forward:{}"
EMPTY, OVERFLOW = "empty_wrong_channels", "overflowing"
EMPTY_AND_OVERFLOWING = [TWO.format(*each) for each in ((EMPTY, OVERFLOW), (OVERFLOW, EMPTY))]


class RefusesEmpty(torch.nn.BatchNorm2d):
    """torch without its defect ``empty_input_unchecked``."""

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(input)
        if input.shape[1] != self.num_features:
            given = f"{input.shape[1]} elements not {self.num_features}"
            raise RuntimeError(f"running_mean should contain {given}")
        return output


@pytest.mark.parametrize("case_id", EMPTY_AND_OVERFLOWING)
def test_a_program_may_show_two_defects(case_id: str) -> None:
    both = installed.judged(case_id, installed.BATCH_NORM)
    assert both.outcome == KNOWN_DEFECT, both.explanation
    for name in ("empty_input_unchecked", "overflowing_variance_zeroes_output"):
        (defect,) = (each for each in DEFECTS if each.name == name and each.on(RUNNING))
        assert defect.instead in both.explanation


@pytest.mark.parametrize("case_id", EMPTY_AND_OVERFLOWING)
def test_of_two_defects_one_may_be_gone(case_id: str) -> None:
    one = installed.judged(case_id, RefusesEmpty)
    assert one.outcome == FINDING
    assert one.explanation == "known defect 'empty_input_unchecked' is gone: correct oracle/defects.py"
    assert installed.judged(case_id, RefusesEmpty, strict_defects=False).outcome == KNOWN_DEFECT
    assert installed.judged(case_id, HonestBatchNorm2d, strict_defects=False).outcome == PASS
    wrong = installed.judged(case_id, fakes.NotCounted)
    assert (wrong.outcome, "has changed: step " in wrong.explanation) == (FINDING, True)


class RaisesInEval(torch.nn.BatchNorm2d):
    """torch with a forward that raises in eval mode."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            raise NotImplementedError("eval")
        return super().forward(input)


@pytest.mark.parametrize("strict", [True, False])
def test_what_is_wrong_after_a_known_defect_is_told_as_what_it_is(strict: bool) -> None:
    case_id = "steps-no_affine-no_track-momentum_0.1-exact-n30-float16-forward:b0.channels_last,eval,forward:b0"
    assert installed.judged(case_id, installed.BATCH_NORM).outcome == KNOWN_DEFECT
    wrong = installed.judged(case_id, RaisesInEval, strict_defects=strict)
    assert (wrong.outcome, wrong.defect) == (FINDING, None)
    (step,) = {finding.step for finding in wrong.result.findings}
    assert step == 3
    assert "NotImplementedError" in wrong.explanation
