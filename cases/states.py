"""Complete coverage of the module's discrete states: every state meets every operation.

A state is which of the eight things that the module's behaviour can branch on are so: in train mode,
track_running_stats set, momentum a number, and each of running_mean, running_var,
num_batches_tracked, weight and bias present. A case puts a live module into one state,
performs an operation, puts back what that may have disturbed, and so on for all operations.
"""

from __future__ import annotations

from itertools import product
from typing import Dict, FrozenSet, Iterator, List, Set, Tuple

from cases.case import Case
from cases.construction import Config
from cases.errors import CaseError
from cases.steps import (
    BUFFERS,
    COPIES,
    EVAL,
    PARAMETERS,
    PRESET,
    RESETS,
    STATE_DICTS,
    TRAIN,
    Attach,
    Copy,
    Count,
    Drop,
    Forward,
    LoadStateDict,
    Mode,
    Reset,
    SetAttribute,
    Step,
    Value,
    token,
)
from cases.variants import Variant

FAMILY = "state"

DIMENSIONS: Tuple[Tuple[str, str], ...] = (
    ("train", "eval"),
    ("track", "no_track"),
    ("momentum_number", "momentum_none"),
    ("mean", "no_mean"),
    ("var", "no_var"),
    ("counter", "no_counter"),
    ("weight", "no_weight"),
    ("bias", "no_bias"),
)
"""The words for the two sides of each dimension, in the order of an id."""

VARIANT = Variant("bounded", "n2", "float32")


def _operations() -> Iterator[Step]:
    for name in ("b0", "one_value", "no_batch", "wrong_channels", "three_dims"):
        yield Forward(name)
    yield Forward("b0", "no_grad")
    yield TRAIN
    yield EVAL
    for flag in ("affine", "track_running_stats", "training"):
        yield SetAttribute(flag, True)
        yield SetAttribute(flag, False)
    for momentum in (None, 0.25, 1):
        yield SetAttribute("momentum", momentum)
    yield SetAttribute("eps", 0.5)
    yield SetAttribute("num_features", 7)
    for name in BUFFERS + PARAMETERS:
        yield Drop(name)
        yield Attach(name, "tensor")
    for name in PARAMETERS:
        yield Attach(name, "parameter")
        yield Attach(name, "trainable")
    yield PRESET
    yield Count(41)
    yield from (Reset(method) for method in RESETS)
    yield from (Copy(how) for how in COPIES)
    yield from (LoadStateDict(what) for what in STATE_DICTS)
    # Last, because a name that has held a Parameter takes no plain tensor any more.
    for name in ("running_mean", "running_var"):
        yield Attach(name, "parameter")
        yield Attach(name, "trainable")
    yield Attach("num_batches_tracked", "parameter")


OPERATIONS: Tuple[Step, ...] = tuple(_operations())

State = Tuple[bool, ...]
"""The eight answers, True for the first word of each dimension."""

STATES: Tuple[State, ...] = tuple(product((True, False), repeat=len(DIMENSIONS)))


_FLAGS = ("track_running_stats", "momentum", "affine", "eps", "num_features", "training")
EVERYTHING: FrozenSet[str] = frozenset(_FLAGS + BUFFERS + PARAMETERS)


def disturbed(operation: Step) -> FrozenSet[str]:
    """The attributes that the operation may leave otherwise than the state says, or at 1 and 0."""
    if isinstance(operation, (SetAttribute, Drop, Attach)):
        return frozenset({operation.name})
    if isinstance(operation, Mode):
        return frozenset({"training"})
    if isinstance(operation, Reset) or operation == Copy("state_dict"):
        return EVERYTHING
    return frozenset()


def restore(
    state: State, parameters: FrozenSet[str] = frozenset(), names: FrozenSet[str] = EVERYTHING
) -> Tuple[Step, ...]:
    """Steps that put the attributes ``names`` of a live module as ``state`` says.

    ``parameters``: the buffers that have held a Parameter.
    """
    training, track, number, mean, var, counter, weight, bias = state
    values: Dict[str, Value] = {
        "track_running_stats": track,
        "momentum": 0.1 if number else None,
        "affine": True,
        "eps": 1e-5,
        "num_features": VARIANT.channels,
        "training": training,
    }
    steps: List[Step] = [SetAttribute(name, values[name]) for name in _FLAGS if name in names]
    present = {
        "running_mean": mean,
        "running_var": var,
        "num_batches_tracked": counter,
        "weight": weight,
        "bias": bias,
    }
    for name, there in present.items():
        kind = "parameter" if name in parameters else "tensor"
        if name in PARAMETERS:
            kind = "trainable"
        if name in names:
            steps.append(Attach(name, kind) if there else Drop(name))
    return tuple(steps)


def words(state: State) -> Tuple[str, ...]:
    """The words of a state in an id."""
    return tuple(pair[0] if side else pair[1] for pair, side in zip(DIMENSIONS, state))


def identify(state: State) -> str:
    """The id of the case of a state."""
    return "-".join((FAMILY,) + words(state))


def case(state: State) -> Case:
    """One state with every operation."""
    steps: List[Step] = []
    parameters: Set[str] = set()
    names = EVERYTHING
    for operation in OPERATIONS:
        steps.extend(restore(state, frozenset(parameters), names))
        steps.append(operation)
        names = disturbed(operation)
        if isinstance(operation, Attach) and operation.kind != "tensor":
            parameters.add(operation.name)
    return Case(
        id=identify(state),
        behaviour="states_times_operations",
        config=Config(VARIANT.channels),
        steps=tuple(steps),
        variant=VARIANT,
        note=f"{len(OPERATIONS)} operations: " + " ".join(token(step) for step in OPERATIONS),
    )


_BY_ID: Dict[str, State] = {identify(state): state for state in STATES}


def find(case_id: str) -> Case:
    """The case with this id; raises CaseError."""
    if case_id not in _BY_ID:
        accepted = ", ".join("|".join(pair) for pair in DIMENSIONS)
        raise CaseError(f"no state {case_id!r}; the words of a state id are {accepted}")
    return case(_BY_ID[case_id])
