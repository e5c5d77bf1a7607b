"""Complete coverage of the module's discrete states: every state meets every operation.

A state is one answer to each of eight questions on which the module's behaviour can depend: is it in
train mode, is track_running_stats set, is momentum a number, and is each of running_mean, running_var,
num_batches_tracked, weight and bias present? A case puts a module into one state, performs an operation
and then a forward, restores what the operation has changed, and does this for every operation.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Set, Tuple

from cases.attributes import BUFFERS, FLAGS, PARAMETERS
from cases.case import Case
from cases.construction import Config
from cases.errors import CaseError, quoted
from cases.programs import spelled
from cases.spelling import token
from cases.steps import (
    COPIES,
    EVAL,
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
    Preset,
    Reset,
    SetAttribute,
    Step,
    Value,
)
from cases.variants import ATTACHED_COUNT, Variant

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
"""The two words of each dimension, in the order of an id."""

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
    # Parameters come last: a name that has held a Parameter accepts no plain tensor afterwards.
    for name in ("running_mean", "running_var"):
        yield Attach(name, "parameter")
        yield Attach(name, "trainable")
    yield Attach("num_batches_tracked", "parameter")


OPERATIONS: Tuple[Step, ...] = tuple(_operations())

FORWARD = Forward("b0")
"""The forward after every operation that is not a forward itself; it shows what the operation has
changed."""

State = Tuple[bool, ...]
"""The eight answers, True for the first word of each dimension."""

STATES: Tuple[State, ...] = tuple(product((True, False), repeat=len(DIMENSIONS)))


_VALUES = "values"
"""The word for the values in the tensors. It stands in the same sets as the names of attributes."""


def _nothing(operation: Step) -> FrozenSet[str]:
    return frozenset()


def _its_name(operation: Any) -> FrozenSet[str]:
    return frozenset({operation.name})


def _flags_of_a_new_module(operation: Copy) -> FrozenSet[str]:
    """Copying through a state dict needs all tensors, and leaves the flags as constructed."""
    return frozenset(FLAGS) if operation.how == "state_dict" else frozenset()


_DISTURBED: Dict[type, Callable[[Any], FrozenSet[str]]] = {
    Forward: _nothing,
    Mode: lambda operation: frozenset({"training"}),
    SetAttribute: _its_name,
    Drop: _its_name,
    Attach: _its_name,
    Preset: _nothing,
    Count: _nothing,
    Reset: lambda operation: frozenset({_VALUES}),
    Copy: _flags_of_a_new_module,
    LoadStateDict: _nothing,
}
"""Maps each type of OPERATIONS to the attributes that a step may leave different from the state, with
_VALUES where it resets tensors to 1 and 0."""


def _flags(state: State) -> Dict[str, Value]:
    training, track, number = state[:3]
    return {
        "track_running_stats": track,
        "momentum": 0.1 if number else None,
        "affine": True,
        "eps": 1e-5,
        "num_features": VARIANT.channels,
        "training": training,
    }


def _present(state: State) -> Dict[str, bool]:
    return dict(zip(BUFFERS + PARAMETERS, state[3:]))


def _values(state: State) -> List[Step]:
    return [PRESET, Count(ATTACHED_COUNT)] if _present(state)["num_batches_tracked"] else [PRESET]


def enter(state: State) -> List[Step]:
    """Return steps that put a new module into ``state``."""
    new = _flags(STATES[0])
    steps: List[Step] = []
    for name, value in _flags(state).items():
        if value is not new[name]:
            steps.append(SetAttribute(name, value))
    steps += [Drop(name) for name, there in _present(state).items() if not there]
    return steps + _values(state)


def restore(state: State, names: FrozenSet[str], parameters: FrozenSet[str]) -> List[Step]:
    """Return steps that set the attributes ``names`` of a live module to what ``state`` says.

    ``parameters``: the buffers that have held a Parameter.
    """
    steps: List[Step] = [
        SetAttribute(name, value) for name, value in _flags(state).items() if name in names
    ]
    for name, there in _present(state).items():
        if name in names:
            kind = "parameter" if name in parameters else "tensor"
            if name in PARAMETERS:
                kind = "trainable"
            steps.append(Attach(name, kind) if there else Drop(name))
    return steps + (_values(state) if _VALUES in names else [])


def _with_forward(operation: Step) -> List[Step]:
    """Return the operation, and the forward after it unless it is a forward itself."""
    return [operation] if isinstance(operation, Forward) else [operation, FORWARD]


def words(state: State) -> Tuple[str, ...]:
    """Return the words of a state in an id."""
    return tuple(pair[0] if side else pair[1] for pair, side in zip(DIMENSIONS, state))


def identify(state: State) -> str:
    """Return the id of the case of a state."""
    return "-".join((FAMILY,) + words(state))


def case(state: State) -> Case:
    """Return the case of one state with every operation."""
    steps = enter(state)
    parameters: Set[str] = set()
    for operation in OPERATIONS:
        steps += _with_forward(operation)
        if isinstance(operation, Attach) and operation.kind != "tensor":
            parameters.add(operation.name)
        if operation is not OPERATIONS[-1]:
            names = _DISTURBED[type(operation)](operation)
            undone = restore(state, names, frozenset(parameters))
            steps += [each for each in undone if each != operation]
    return Case(
        id=identify(state),
        behaviour="states_times_operations",
        config=Config(VARIANT.channels),
        steps=tuple(steps),
        variant=VARIANT,
        note=f"{len(OPERATIONS)} operations: " + " ".join(token(step) for step in OPERATIONS),
    )


def parts_of(state_case: Case) -> Tuple[Case, ...]:
    """Return a case for each operation of a state's case, which enters the state and performs it alone.

    Each is a spelled-out case that ends in a forward. A case of another family has no parts.
    """
    state = _BY_ID.get(state_case.id)
    if state is None:
        return ()
    construction = ("affine", "track", "momentum_0.1")
    programs = (tuple(enter(state) + _with_forward(operation)) for operation in OPERATIONS)
    return tuple(spelled.case(construction, VARIANT, program) for program in programs)


_BY_ID: Dict[str, State] = {identify(state): state for state in STATES}


def ids(tier: str) -> Iterator[str]:
    """Return the ids of a tier: none for smoke, every state for the others."""
    return iter(() if tier == "smoke" else _BY_ID)


def find(case_id: str) -> Case:
    """Return the case with this id; raises CaseError."""
    if case_id not in _BY_ID:
        accepted = ", ".join("|".join(pair) for pair in DIMENSIONS)
        raise CaseError(f"no state {quoted(case_id)}; the words of a state id are {accepted}")
    return case(_BY_ID[case_id])
