"""The suite catches every liar for the reason that it declares, and no honest subject has a finding."""

from __future__ import annotations

import pytest
import torch

from tests.meta.liars import LIARS, Liar, hunt
from tests.meta.liars.honest import HonestBatchNorm2d

torch.set_num_threads(1)

FEWEST = 400
FEWEST_BACKWARDS = 150
SMOKE_SHARE = 0.95

_HEAD = "steps-affine-track-momentum_0.1-bounded-n8-float32"
FORWARDS_ALONE = (
    f"{_HEAD}-preset,input_grad:b0,forward:b1.channels_last,eval,input_grad:b2.permuted,no_grad:b0",
    f"{_HEAD}-preset,forward:b0,forward:nan,eval,train,forward:no_batch,reset_parameters,forward:b1",
)
"""Programs without a backward step, in both modes."""


def test_there_are_enough_liars() -> None:
    """The registry has the promised number of liars, and the promised part is about gradients."""
    backwards = [liar for liar in LIARS.values() if liar.family.startswith("backward_")]
    assert len(LIARS) >= FEWEST
    assert len(backwards) >= FEWEST_BACKWARDS


def test_backwards_hide_behind_a_right_forward() -> None:
    """A wrong backward shows only after the forward, at the earliest in a backward step."""
    for liar in LIARS.values():
        if liar.family.startswith("backward_"):
            assert hunt.first_catch(liar.factory, FORWARDS_ALONE) is None, liar.name


@pytest.mark.parametrize("liar", LIARS.values(), ids=list(LIARS))
def test_gate_catches(liar: Liar) -> None:
    """Some gate case whose id says why finds wrong what the liar lies about."""
    telling = hunt.with_words("gate", liar.seen_in)
    assert telling, f"no gate case has the words {liar.seen_in}"
    assert hunt.telling_catch(liar) is not None, (
        f"{liar.name} ({liar.lie}) survives {len(telling)} gate cases with {liar.seen_in}"
    )


@pytest.mark.long
def test_smoke_catches_nearly_all() -> None:
    """The smoke tier misses at most one liar in twenty."""

    def survives(liar: Liar) -> bool:
        likely = hunt.with_words("smoke", liar.seen_in)[:8]
        return hunt.first_catch(liar.factory, likely + hunt.cheapest_first("smoke")) is None

    missed = [liar.name for liar in LIARS.values() if survives(liar)]
    caught = 1 - len(missed) / len(LIARS)
    assert caught >= SMOKE_SHARE, f"smoke catches {caught:.1%}; it misses {', '.join(missed)}"


def test_control_passes_a_third_of_smoke() -> None:
    """An independent implementation in other arithmetic has no finding."""
    assert hunt.first_catch(HonestBatchNorm2d, hunt.ids("smoke")[::3]) is None


@pytest.mark.long
def test_control_passes_gate() -> None:
    """The honest subject has no finding on the whole gate tier either."""
    assert hunt.first_catch(HonestBatchNorm2d, hunt.ids("gate")) is None
