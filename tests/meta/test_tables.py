"""Tables from words or types to functions are complete: every table has every word or type."""

from __future__ import annotations

import typing
from typing import Any, Dict, Mapping, Set

import pytest

from cases import spelling, states
from cases.attributes import FLAGS, TENSORS
from cases.claims.checks import Check
from cases.derivatives import JVPS, NESTED, VJPS
from cases.programs.alphabet import ALPHABET
from cases.state_dicts import TABLE
from cases.steps import COPIES, FORMS, RESETS, SHOWN, STATE_DICTS, TRIED, WAYS, LoadStateDict, Step
from cases.variants import DTYPES, EVERY_LAYOUT, GRADIENT_LAYOUTS, LAYOUTS, Variant
from oracle import derivatives, meanings
from oracle.defects import DEFECTS
from oracle.descriptions import _TEXTS
from oracle.deviations import DEVIATIONS
from oracle.expected_derivatives import SECOND, TANGENT, THIRD
from oracle.numerics.formats import FORMATS
from tests.failure import phrases
from tests.meta import installed
from tests.subject import contexts, conversions, descriptions, inputs, module, transforms
from tests.verdict import claims

STEPS: Set[Any] = set(typing.get_args(Step))
CHECKS: Set[Any] = set(typing.get_args(Check))

TABLES: Dict[str, Mapping[Any, Any]] = {
    "oracle.meanings.STEPS": meanings.STEPS,
    "tests.subject.module.ACTIONS": module.ACTIONS,
}


def test_there_are_steps_and_checks() -> None:
    assert len(STEPS) >= 13
    assert len(CHECKS) >= 11


@pytest.mark.parametrize("name", TABLES)
def test_every_step_type_has_a_function(name: str) -> None:
    assert set(TABLES[name]) == STEPS
    assert all(callable(each) for each in TABLES[name].values())


def test_every_step_type_can_be_spelled() -> None:
    read = {type(step) for case in (*installed.small(), *installed.edges()) for step in case.steps}
    read |= {type(step) for step in (*states.OPERATIONS, *ALPHABET)}
    assert read == STEPS
    for step in ALPHABET:
        assert spelling.parse_program(spelling.spell((step,))) == (step,)
    for case in (*installed.small()[::10], *installed.edges()[::10]):
        assert spelling.parse_program(spelling.spell(case.steps)) == case.steps


@pytest.mark.parametrize(
    ("words", "table"),
    [
        ((*SHOWN, *TRIED), descriptions.TEXTS),
        ((*SHOWN, *TRIED), _TEXTS),
        (("", *FORMS), conversions.FORMS),
        (("", *FORMS), phrases.FORMS),
        (EVERY_LAYOUT, inputs.LAYOUTS),
        (WAYS, contexts.CONTEXTS),
        ((*JVPS, *VJPS, *NESTED), transforms.WAYS),
        ((*JVPS, *VJPS, *NESTED), phrases.CALLS),
        ((SECOND, THIRD, TANGENT), derivatives.TERMS),
        ([defect.name for defect in DEFECTS], DEVIATIONS),
    ],
    ids=["texts", "expected texts", "forms", "phrases of forms", "layouts", "contexts", "ways", "phrases of ways"]
    + ["kinds of derivatives", "deviations"],
)
def test_every_word_has_a_function(words: Any, table: Mapping[str, Any]) -> None:
    assert set(table) == set(words)


def test_state_dicts_of_every_state_come_first() -> None:
    assert tuple(TABLE)[: len(STATE_DICTS)] == STATE_DICTS
    loaded = {step.what for case in installed.edges() for step in case.steps if isinstance(step, LoadStateDict)}
    assert loaded == set(TABLE)


def test_every_check_has_a_function() -> None:
    assert set(claims.CHECKS) == CHECKS


def test_every_layout_of_an_input_is_one_of_a_gradient() -> None:
    assert set(LAYOUTS) <= set(GRADIENT_LAYOUTS)


def test_every_dtype_has_a_format() -> None:
    words = {Variant(dtype=dtype).module_dtype for dtype in DTYPES}
    assert words <= set(FORMATS)


def test_every_way_to_copy_and_reset_is_performed() -> None:
    """These words have no table: the subject is called with them."""
    operations = {getattr(step, "how", "") for step in states.OPERATIONS}
    assert set(COPIES) <= operations
    assert set(RESETS) <= {getattr(step, "method", "") for step in states.OPERATIONS}


def test_state_and_observation_have_every_attribute() -> None:
    state = meanings.begin(installed.small()[0].config, "float32", installed.RULES).state
    assert len(state.entries()) == len(TENSORS)
    assert len(state.flags()) == len(FLAGS)
    observed = module.LiveModule(installed.BATCH_NORM, installed.small()[0].config, Variant()).perform(None)
    assert (len(observed.tensors), len(observed.flags)) == (len(TENSORS), len(FLAGS))
