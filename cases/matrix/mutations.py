"""Changes to a live module in the middle of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, Optional, Tuple

from cases.construction import Construction
from cases.steps import Attach, Copy, Drop, Reset, SetAttribute, Step, Value


def _always_means_something(construction: Construction) -> Optional[str]:
    return None


@dataclass(frozen=True)
class Mutation:
    """The meaning of a word of the mutation axis.

    ``steps``: the steps after a forward in train mode. ``meaningless``: the reason why the mutation does
    nothing to a module that is constructed as the three words say, None where it does something.
    ``in_eval``: the steps after a forward in eval mode, where these differ.
    """

    steps: Tuple[Step, ...]
    meaningless: Callable[[Construction], Optional[str]] = _always_means_something
    in_eval: Optional[Tuple[Step, ...]] = None


def _sets(name: str, value: Value, *already: str) -> Mutation:
    """Assign a flag. ``already``: the words of the constructions that give the flag this value."""

    def meaningless(construction: Construction) -> Optional[str]:
        return f"{name} is {value} already" if set(already) & set(construction) else None

    return Mutation((SetAttribute(name, value),), meaningless)


def _drops(*names: str) -> Mutation:
    """Set tensors to None; meaningless where the construction has none of them."""

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
    """Attach buffers to a module that was built without them."""

    def meaningless(construction: Construction) -> Optional[str]:
        if construction[1] == "track":
            return "the module was built with running buffers"
        return None

    return Mutation(tuple(Attach(name, kind) for name in names), meaningless)


MUTATIONS: Dict[str, Mutation] = {
    "affine_off": _sets("affine", False, "no_affine"),
    "affine_on": _sets("affine", True, "affine", "no_bias"),
    "track_off": _sets("track_running_stats", False, "no_track"),
    "track_on": _sets("track_running_stats", True, "track"),
    "momentum_to_none": _sets("momentum", None, "momentum_none"),
    "momentum_to_number": _sets("momentum", 0.25),
    "momentum_to_int": _sets("momentum", 1, "momentum_int_1"),
    "set_eps": _sets("eps", 0.5),
    "set_num_features": _sets("num_features", 7),
    "training_attribute": Mutation(
        (SetAttribute("training", False),), in_eval=(SetAttribute("training", True),)
    ),
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
"""Maps a word to its mutation. ``training_attribute`` sets ``module.training`` to the opposite of the
mode."""


def steps_of(mutation: str, mode: str) -> Tuple[Step, ...]:
    """Return the steps of a mutation. ``mode``: T or E, the mode of the forward before it."""
    found = MUTATIONS[mutation]
    return found.in_eval if mode == "E" and found.in_eval is not None else found.steps
