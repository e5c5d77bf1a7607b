"""What is done to the live instance in the middle of a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Optional, Tuple

from cases.steps import Attach, Copy, Drop, Reset, SetAttribute, Step

Construction = Tuple[str, str, str]
"""The words for affine, track and momentum."""


@dataclass(frozen=True)
class Mutation:
    """A mutation: its steps, and why it means nothing for some constructions.

    ``meaningless``: gives the reason, or None where the mutation does something.
    """

    steps: Tuple[Step, ...]
    meaningless: Callable[[Construction], Optional[str]] = lambda construction: None


def _sets(name: str, value: object, word: str, index: int) -> Mutation:
    """Assigns a flag; meaningless where ``word`` says it has that value already."""

    def meaningless(construction: Construction) -> Optional[str]:
        if construction[index] == word:
            return f"{name} is {value} already"
        return None

    assert value is None or isinstance(value, (bool, int, float))
    return Mutation((SetAttribute(name, value),), meaningless)


def _drops(*names: str) -> Mutation:
    def meaningless(construction: Construction) -> Optional[str]:
        affine, track, _ = construction
        absent = {
            "weight": affine == "no_affine",
            "bias": affine != "affine",
            "running_mean": track == "no_track",
            "running_var": track == "no_track",
            "num_batches_tracked": track == "no_track",
        }
        if all(absent[name] for name in names):
            return f"{' and '.join(names)} is None already"
        return None

    return Mutation(tuple(Drop(name) for name in names), meaningless)


def _attaches(kind: str, *names: str) -> Mutation:
    def meaningless(construction: Construction) -> Optional[str]:
        if construction[1] == "track":
            return "the module was built with running buffers"
        return None

    return Mutation(tuple(Attach(name, kind) for name in names), meaningless)


def _affine_off_already(construction: Construction) -> Optional[str]:
    return "affine is False already" if construction[0] == "no_affine" else None


def _affine_on_already(construction: Construction) -> Optional[str]:
    return None if construction[0] == "no_affine" else "affine is True already"


MUTATIONS: Dict[str, Mutation] = {
    "affine_off": Mutation((SetAttribute("affine", False),), _affine_off_already),
    "affine_on": Mutation((SetAttribute("affine", True),), _affine_on_already),
    "track_off": _sets("track_running_stats", False, "no_track", 1),
    "track_on": _sets("track_running_stats", True, "track", 1),
    "momentum_to_none": _sets("momentum", None, "momentum_none", 2),
    "momentum_to_number": _sets("momentum", 0.25, "", 2),
    "momentum_to_int": _sets("momentum", 1, "momentum_int_1", 2),
    "set_eps": _sets("eps", 0.5, "", 2),
    "set_num_features": _sets("num_features", 7, "", 2),
    "training_attribute": Mutation(()),
    "drop_running_mean": _drops("running_mean"),
    "drop_running_var": _drops("running_var"),
    "drop_running_stats": _drops("running_mean", "running_var"),
    "drop_counter": _drops("num_batches_tracked"),
    "attach_tensors": _attaches("tensor", "running_mean", "running_var"),
    "attach_parameters": _attaches("parameter", "running_mean", "running_var"),
    "attach_all": _attaches("tensor", "running_mean", "running_var", "num_batches_tracked"),
    "drop_weight": _drops("weight"),
    "drop_bias": _drops("bias"),
    "drop_weight_and_bias": _drops("weight", "bias"),
    "reset_running_stats": Mutation((Reset("reset_running_stats"),)),
    "reset_parameters": Mutation((Reset("reset_parameters"),)),
    "state_dict": Mutation((Copy("state_dict"),)),
    "deepcopy": Mutation((Copy("deepcopy"),)),
    "pickle": Mutation((Copy("pickle"),)),
}
"""Word to mutation. ``training_attribute`` sets ``module.training`` to the opposite of the schedule's
mode at that moment: see ``steps_of``."""


def steps_of(mutation: str, mode: str) -> Tuple[Step, ...]:
    """The steps of a mutation in the middle of a schedule; ``mode``: of the forward before, T or E."""
    if mutation == "training_attribute":
        return (SetAttribute("training", mode == "E"),)
    return MUTATIONS[mutation].steps
