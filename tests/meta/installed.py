"""The torch that is installed, and the cases of its tiers, for the tests that run them."""

from __future__ import annotations

from functools import lru_cache
from typing import Tuple

import torch

from cases import catalogue
from cases.case import Case
from oracle.semantics import Semantics, parse_release, semantics

torch.set_num_threads(1)  # as the runs of the suite do: threads that wait spin on small inputs
RULES: Semantics = semantics(parse_release(torch.__version__))
BATCH_NORM = torch.nn.BatchNorm2d


@lru_cache(maxsize=None)
def smoke() -> Tuple[Case, ...]:
    """The matrix's cases of the smoke tier; its edges are among ``edges``."""
    return tuple(map(catalogue.find, catalogue.ids("matrix", "smoke")))


@lru_cache(maxsize=None)
def small() -> Tuple[Case, ...]:
    """Those of them with small inputs: nine of ten cases for a tenth of the time."""
    return tuple(case for case in smoke() if case.variant.shape != "n102400")


@lru_cache(maxsize=None)
def edges() -> Tuple[Case, ...]:
    """The edge cases."""
    return tuple(map(catalogue.find, catalogue.ids("edge", "gate")))
