"""The meaning of every step: ``begin`` a program by constructing a module, ``advance`` it by one step.

Results are remembered, so programs that begin alike share them.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Dict, Type

from cases.construction import Config
from cases.steps import Step
from cases.variants import Variant
from oracle.attributes import ATTRIBUTE_STEPS
from oracle.autograd import AUTOGRAD_STEPS
from oracle.batch_norm import MODULE_STEPS, construct
from oracle.conversions import CONVERSION_STEPS
from oracle.descriptions import DESCRIPTION_STEPS
from oracle.refusals import Refusal
from oracle.semantics import Rules, Semantics
from oracle.state import Expected, Meaning, State
from oracle.transforms import TRANSFORM_STEPS

STEPS: Dict[Type[Step], Meaning] = {
    **MODULE_STEPS,
    **ATTRIBUTE_STEPS,
    **CONVERSION_STEPS,
    **DESCRIPTION_STEPS,
    **AUTOGRAD_STEPS,
    **TRANSFORM_STEPS,
}
"""Maps the type of a step to its meaning."""


@lru_cache(maxsize=4096)
def advance(state: State, step: Step, variant: Variant, semantics: Semantics) -> Expected:
    """Perform a step."""
    rules = Rules(semantics)
    try:
        expected = STEPS[type(step)](state, step, variant, rules)
    except Refusal as refusal:
        expected = Expected(state, error=refusal.error)
    if not rules.consulted:
        return expected
    return dataclasses.replace(expected, switches=tuple(rules.consulted))


@lru_cache(maxsize=256)
def begin(config: Config, dtype: str, semantics: Semantics) -> Expected:
    """Perform the construction, the first step of every program.

    Where it must raise, the state is that of a module constructed without the refused keyword.
    """
    rules = Rules(semantics)
    try:
        return Expected(construct(config, dtype, rules), switches=tuple(rules.consulted))
    except Refusal as refusal:
        accepted = dataclasses.replace(config, bias=None, call="needed")
        state = construct(accepted, dtype, Rules(semantics))
        return Expected(state, error=refusal.error, switches=tuple(rules.consulted))
