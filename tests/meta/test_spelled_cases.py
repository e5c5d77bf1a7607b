"""Ids of spelled-out cases: every step can be spelled, and is read back as it was."""

from __future__ import annotations

from typing import List

import pytest

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from cases import catalogue, steps
from cases.attributes import BUFFERS, PARAMETERS
from cases.attributes import FLAGS as ATTRIBUTES
from cases.construction import Construction
from cases.derivatives import DOUBLES, JVPS, NESTED, VJPS
from cases.errors import CaseError
from cases.inputs.upstream import UPSTREAM
from cases.programs import spelled
from cases.programs.alphabet import ALPHABET, CONSTRUCTIONS, VARIANTS
from cases.spelling import parse_program, parse_step, spell, token
from cases.variants import Variant

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64)
    | st.floats()
    | st.sampled_from(["text", "other"])
)

NO_FORWARD = st.one_of(
    st.builds(steps.Mode, st.booleans()),
    st.builds(steps.SetAttribute, st.sampled_from(ATTRIBUTES), VALUES),
    st.builds(steps.Drop, st.sampled_from(BUFFERS + PARAMETERS)),
    st.builds(steps.Attach, st.sampled_from(BUFFERS[:2] + PARAMETERS), st.sampled_from(steps.ATTACH_KINDS)),
    st.builds(steps.Attach, st.just("num_batches_tracked"), st.sampled_from(steps.ATTACH_KINDS[:2])),
    st.just(steps.Preset()),
    st.builds(steps.Count, st.integers(-(2**63), 2**63 - 1)),
    st.builds(steps.Reset, st.sampled_from(steps.RESETS)),
    st.builds(steps.Copy, st.sampled_from(steps.COPIES)),
    st.builds(steps.LoadStateDict, st.sampled_from(steps.STATE_DICTS)),
    st.builds(steps.Show, st.sampled_from((*steps.SHOWN, *steps.TRIED))),
    st.just(steps.ZERO_GRAD),
)
BATCHES = st.from_regex(r"[a-z][a-z0-9_]*(\.[a-z_]+)?", fullmatch=True)
GRADIENTS = st.sampled_from(tuple(UPSTREAM))
STEPS = st.one_of(
    NO_FORWARD,
    st.builds(steps.Forward, BATCHES, st.sampled_from(steps.WAYS)),
    st.builds(steps.Forwards, st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True), st.integers(1, 9999)),
    st.builds(steps.Double, GRADIENTS, GRADIENTS, st.sampled_from(tuple(DOUBLES))),
    st.builds(steps.Triple, GRADIENTS, GRADIENTS, GRADIENTS),
    st.builds(steps.Jvp, BATCHES, GRADIENTS, st.sampled_from(JVPS)),
    st.builds(steps.Vjp, BATCHES, GRADIENTS, st.sampled_from(VJPS)),
    st.builds(steps.Nested, BATCHES, GRADIENTS, st.sampled_from(NESTED)),
    st.builds(steps.Accumulate, GRADIENTS, st.booleans()),
    st.just(steps.Detach()),
    st.sampled_from([steps.Backward("ones"), steps.Backward("ones", True), steps.Backward("ones", earlier=1)]),
)

deterministic = settings(max_examples=500, derandomize=True, database=None, deadline=None)


def same(one: steps.Step, other: steps.Step) -> bool:
    """Whether two steps are equal, with values of one type; NaN compares by its spelling."""
    if isinstance(one, steps.SetAttribute) and isinstance(other, steps.SetAttribute):
        if one.value != one.value:
            return token(one) == token(other)
        return one == other and type(one.value) is type(other.value)
    return one == other


@deterministic
@given(STEPS)
def test_parse_step_inverts_token(step: steps.Step) -> None:
    """Whatever can be performed can be spelled and read back."""
    assert same(parse_step(token(step)), step)


@deterministic
@given(st.text("abdeghilmnoprstuvw_:.-+0123456789\u0661", max_size=24))
def test_token_inverts_parse_step(text: str) -> None:
    """A text is either spelled as ``token`` spells it, or refused."""
    try:
        step = parse_step(text)
    except CaseError:
        return
    assert token(step) == text


@deterministic
@given(
    st.sampled_from(CONSTRUCTIONS),
    st.sampled_from(VARIANTS),
    st.lists(st.one_of(NO_FORWARD, st.sampled_from(ALPHABET)), min_size=1, max_size=12),
)
def test_spelled_id_rebuilds_its_case(
    construction: Construction, variant: Variant, performed: List[steps.Step]
) -> None:
    """The id contains everything that the case needs."""
    performed = list(spelled.differentiable(performed, variant.dtype)) or [steps.EVAL]
    case = spelled.case(construction, variant, tuple(performed))
    rebuilt = catalogue.find.__wrapped__(case.id)
    assert rebuilt.id == case.id
    assert (rebuilt.config, rebuilt.variant) == (case.config, case.variant)
    assert len(rebuilt.steps) == len(performed)
    assert all(map(same, rebuilt.steps, performed))
    assert parse_program(spell(performed)) is not None


PLAIN = "steps-affine-no_track-momentum_0.1-bounded-n8-float32-"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("func_jvp_vjp:five_dims:like_input.image_step", "image_step is a layout of 4 dimensions"),
        ("jvp:two_dims:ordinary.windows", "windows is a layout of 4 dimensions"),
        ("input_grad:narrow_float,triple:ones:ones:ones", "needs one of the dtypes float32, float64"),
        ("func_jvp_vjp:narrow_float:ones", "needs one of the dtypes float32, float64"),
    ],
)
def test_what_a_batch_cannot_have_is_refused(program: str, message: str) -> None:
    """A tangent has the dimensions of its batch, and a batch may be narrower than the module."""
    with pytest.raises(CaseError, match=message):
        catalogue.find(PLAIN + program)


def test_a_refused_batch_is_no_output() -> None:
    """A backward differentiates the forward before one that is refused for its dimensions."""
    assert catalogue.find(PLAIN + "input_grad:b0,forward:two_dims,backward:ones.one_row").steps
