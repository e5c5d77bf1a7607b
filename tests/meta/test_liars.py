"""The suite catches every liar, for the reason it declares, and accuses no honest subject."""

from __future__ import annotations

from typing import Type

import pytest
import torch

from tests.meta.liars import LIARS, Liar, hunt
from tests.meta.liars.blind import BLIND
from tests.meta.liars.honest import HonestBatchNorm2d

torch.set_num_threads(1)

FEWEST = 90
SMOKE_SHARE = 0.95


def test_there_are_enough_liars() -> None:
    """The registry is as large as promised."""
    assert len(LIARS) >= FEWEST


@pytest.mark.parametrize("liar", LIARS.values(), ids=list(LIARS))
def test_gate_catches(liar: Liar) -> None:
    """Some gate case whose id says why finds wrong what the liar lies about."""
    telling = hunt.with_words("gate", liar.seen_in)
    assert telling, f"no gate case has the words {liar.seen_in}"
    assert hunt.telling_catch(liar) is not None, (
        f"{liar.name} ({liar.lie}) survives {len(telling)} gate cases with {liar.seen_in}"
    )


def test_smoke_catches_nearly_all() -> None:
    """The smoke tier misses at most one liar in twenty."""

    def survives(liar: Liar) -> bool:
        likely = hunt.with_words("smoke", liar.seen_in)[:8]
        return hunt.first_catch(liar.factory, likely + hunt.cheapest_first("smoke")) is None

    missed = [liar.name for liar in LIARS.values() if survives(liar)]
    caught = 1 - len(missed) / len(LIARS)
    assert caught >= SMOKE_SHARE, f"smoke catches {caught:.1%}; it misses {', '.join(missed)}"


def test_control_passes_smoke() -> None:
    """An independent implementation in other arithmetic raises no alarm."""
    assert hunt.first_catch(HonestBatchNorm2d, hunt.ids("smoke")) is None


@pytest.mark.long
def test_control_passes_gate() -> None:
    """Nor does it on the whole gate tier."""
    assert hunt.first_catch(HonestBatchNorm2d, hunt.ids("gate")) is None


@pytest.mark.long
@pytest.mark.parametrize("subject", BLIND, ids=[each.__name__ for each in BLIND])
def test_blind_spot_is_still_blind(subject: Type[HonestBatchNorm2d]) -> None:
    """What the suite is said not to see it does not see: the page would be wrong otherwise."""
    seen = hunt.first_catch(subject, hunt.ids("gate"))
    assert seen is None, f"{subject.__name__} is seen now, by {seen}: move it to the liars"
