"""Every combination of construction, later change, mode and release, and the effect of a forward then.

The oracle performs each combination. Which statistics normalise, which buffers move and what raises
depend on track_running_stats, the change and the mode alone; ``effect`` raises where that is untrue. How
far the buffers move depends on momentum and the counter (``average_factor_of``), and what scales the
output on affine and the change (``scaling``). So three tables hold every combination.

No run of cases needs this module; ``reports.behaviour`` prints it.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from itertools import product
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple, Type

from cases.attributes import BUFFERS, PARAMETERS, STATISTICS
from cases.construction import AFFINE, MOMENTUM, TRACK, Construction, config
from cases.matrix.axes import NO_MUTATION
from cases.matrix.mutations import MUTATIONS, steps_of
from cases.matrix.showing import MODES, by_axis, by_scaling
from cases.steps import EVAL, PRESET, TRAIN, Attach, Copy, Count, Drop, Forward, Reset, SetAttribute, Step
from cases.variants import Variant
from oracle.batch_norm import numeric_factor
from oracle.meanings import advance, begin
from oracle.semantics import RELEASES, Semantics, first_alike
from oracle.state import Expected, ExpectedError, State
from oracle.switch import Release

__all__ = [
    "AFFINE",
    "CHANGES",
    "MODES",
    "MOMENTUM",
    "NO_MUTATION",
    "TRACK",
    "Effect",
    "Interval",
    "as_python",
    "average_factor_of",
    "cases_of_effects",
    "cases_of_factors",
    "cases_of_scaling",
    "constructed_since",
    "intervals",
    "scaling",
]

VARIANT = Variant("bounded", "n2", "float32")

CHANGES: Tuple[str, ...] = (NO_MUTATION, *MUTATIONS)
"""The words of the changes after construction; the first means none."""


class Effect(NamedTuple):
    """The effect of a forward on the module.

    ``refused``: the exception of the change itself, empty if there is none. ``raises``: that of the
    forward. ``statistics``: ``batch`` or ``running``, those that normalise; empty where it raises.
    ``updated``: the running buffers that it moves towards the batch. ``counted``: num_batches_tracked
    grows by 1. ``absent``: the buffers that are None.
    """

    refused: str
    raises: str
    statistics: str
    updated: Tuple[str, ...]
    counted: bool
    absent: Tuple[str, ...]


class _Performed(NamedTuple):
    """A forward after a change: the exception of the change, the state before the forward, its result."""

    refused: Optional[ExpectedError]
    before: State
    forward: Expected


def _in_words(error: Optional[ExpectedError]) -> str:
    """Return the class and the message of an exception, without the signs of a regular expression."""
    if error is None:
        return ""
    message = re.sub(r"^\^|\$$", "", error.pattern).replace(".*", "...")
    return f"{error.kind}: " + re.sub(r"\\(.)", r"\1", message)


@lru_cache(maxsize=None)
def _new(construction: Construction, mode: str, rules: Semantics) -> Optional[State]:
    """Return a new module in a mode; None where the release cannot construct it."""
    begun = begin(config(*construction, VARIANT.channels), VARIANT.module_dtype, rules)
    if begun.error is not None:
        return None
    state = advance(begun.state, PRESET, VARIANT, rules).state
    return advance(state, TRAIN if mode == "train" else EVAL, VARIANT, rules).state


@lru_cache(maxsize=None)
def _performed(
    construction: Construction, change: str, mode: str, rules: Semantics
) -> Optional[_Performed]:
    """Perform a combination; None where the release cannot construct the module."""
    state, refused = _new(construction, mode, rules), None
    if state is None:
        return None
    for step in () if change == NO_MUTATION else steps_of(change, MODES[mode]):
        expected = advance(state, step, VARIANT, rules)
        state, refused = expected.state, refused or expected.error
    return _Performed(refused, state, advance(state, Forward("b0"), VARIANT, rules))


def _effect(performed: _Performed) -> Effect:
    before, forward = performed.before, performed.forward
    entries = {name: (before.entry(name), forward.state.entry(name)) for name in BUFFERS}
    moved = {name for name, (then, now) in entries.items() if then != now}
    output = forward.output
    return Effect(
        refused=_in_words(performed.refused),
        raises=_in_words(forward.error),
        statistics="" if output is None else ("running", "batch")[output.batch_statistics],
        updated=tuple(name for name in STATISTICS if name in moved),
        counted="num_batches_tracked" in moved,
        absent=tuple(name for name, (then, _) in entries.items() if then is None),
    )


def _is_left_out(construction: Construction, change: str) -> bool:
    """Whether the matrix leaves the change out because it has no effect on such a module."""
    return change != NO_MUTATION and MUTATIONS[change].meaningless(construction) is not None


def effect(track: str, change: str, mode: str, rules: Semantics) -> Optional[Effect]:
    """Return the effect of a forward, which is the same for every affine and momentum.

    None where the matrix leaves the combination out. Raises ValueError where affine or momentum matter,
    so that the tables of this module would not be true.
    """
    found = set()
    for affine, momentum in product(AFFINE, MOMENTUM):
        construction = (affine, track, momentum)
        performed = _performed(construction, change, mode, rules)
        if performed is not None and not _is_left_out(construction, change):
            found.add(_effect(performed))
    if len(found) > 1:
        raise ValueError(f"affine or momentum decide what happens: {track}, {change}, {mode}: {found}")
    return next(iter(found), None)


class Interval(NamedTuple):
    """An effect, and the first and last release that has it."""

    first: Release
    last: Release
    effect: Effect


def intervals(track: str, change: str, mode: str) -> List[Interval]:
    """Return the effects of a combination over the releases, the newest first."""
    found: List[Interval] = []
    for release in RELEASES:
        seen = effect(track, change, mode, first_alike(release))
        if seen is None:
            continue
        if found and found[-1].effect == seen:
            found[-1] = found[-1]._replace(last=release)
        else:
            found.append(Interval(release, release, seen))
    return found[::-1]


NEWEST = RELEASES[-1]


def average_factor_of(momentum: str, counted: Optional[int]) -> float:
    """Return the share of the batch in the running buffers, for a word of ``MOMENTUM``.

    ``counted``: the number of the batch, as num_batches_tracked counts it; None: the counter is None.
    """
    rules = first_alike(NEWEST)
    state = begin(config("affine", "track", momentum, VARIANT.channels), "float32", rules).state
    step = Drop("num_batches_tracked") if counted is None else Count(counted)
    return numeric_factor(advance(state, step, VARIANT, rules).state)


def scaling(affine: str, change: str) -> Optional[Tuple[str, ...]]:
    """Return the names of the PARAMETERS that scale and shift the output on the newest release.

    None where the matrix leaves the combination out. Raises ValueError where track_running_stats,
    momentum or the mode matter.
    """
    found = set()
    for track, momentum, mode in product(TRACK, MOMENTUM, MODES):
        construction = (affine, track, momentum)
        performed = _performed(construction, change, mode, first_alike(NEWEST))
        output = None if performed is None else performed.forward.output
        if output is not None and not _is_left_out(construction, change):
            found.add(tuple(name for name in PARAMETERS if getattr(output, name) is not None))
    if len(found) > 1:
        raise ValueError(f"not affine alone decides the scale: {affine}, {change}: {found}")
    return next(iter(found), None)


def as_python(change: str) -> str:
    """Return a change as a line of Python, for a module ``m``.

    A change that differs between the modes sets a flag to its opposite.
    """
    mutation = MUTATIONS[change]
    if mutation.in_eval is None:
        return "; ".join(_WRITTEN[type(step)](step) for step in mutation.steps)
    (step,) = mutation.steps
    assert isinstance(step, SetAttribute)
    return f"m.{step.name} = not m.{step.name}"


def _attached(step: Attach) -> str:
    return f"m.{step.name} = " + ("t" if step.kind == "tensor" else "Parameter(t, requires_grad=False)")


_COPIED: Dict[str, str] = {
    "deepcopy": "m = copy.deepcopy(m)",
    "pickle": "m = pickle.loads(pickle.dumps(m))",
    "state_dict": "new.load_state_dict(m.state_dict()); m = new",
}

_WRITTEN: Dict[Type[Step], Callable[[Any], str]] = {
    SetAttribute: lambda step: f"m.{step.name} = {step.value!r}",
    Drop: lambda step: f"m.{step.name} = None",
    Attach: _attached,
    Reset: lambda step: f"m.{step.method}()",
    Copy: lambda step: _COPIED[step.how],
}
"""Maps the type of a step of a change to its line."""


def constructed_since(affine: str) -> Release:
    """Return the first release that constructs a module for a word of ``AFFINE``."""
    own = config(affine, "track", "momentum_0.1", VARIANT.channels)
    return next(each for each in RELEASES if begin(own, "float32", first_alike(each)).error is None)


cases_of_effects = lru_cache(maxsize=None)(partial(by_axis, "track"))
cases_of_factors = lru_cache(maxsize=None)(partial(by_axis, "momentum"))
cases_of_scaling = lru_cache(maxsize=None)(by_scaling)
