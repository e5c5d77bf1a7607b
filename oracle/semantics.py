"""The release switches: one named switch for every rule that differs between torch releases.

A switch *holds* on the releases ``first`` to ``last``, both included; ``inside`` says what the module
does there and ``outside`` what it does elsewhere. The oracle asks ``rules.holds(name)`` only where the
two differ, so the switches that a step asked for decided its result. '#n' is an issue or pull request.
"""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from typing import Dict, FrozenSet, List, Tuple

from oracle.differentiation import DIFFERENTIATION
from oracle.registration import REGISTRATION
from oracle.switch import Release, Switch

RELEASES: Tuple[Release, ...] = tuple(
    [(1, minor) for minor in range(4, 14)] + [(2, minor) for minor in range(16)]
)
"""The minor releases in the table, oldest first."""


SWITCHES: Tuple[Switch, ...] = (
    Switch(
        "untracked_train_updates",
        None,
        (1, 5),
        "In train mode with track_running_stats turned off, buffers that are there are updated.",
        "With track_running_stats turned off, a train-mode forward leaves the buffers alone.",
        "#20967, #37823; PR #38084",
    ),
    Switch(
        "flag_alone_selects_statistics",
        None,
        (1, 5),
        "In eval mode track_running_stats decides: off means batch statistics (and the buffers are "
        "updated), on means running buffers (and an error if they are None).",
        "In eval mode the presence of the buffers decides: both None means batch statistics.",
        "#30294, #16793; PR #38084",
    ),
    Switch(
        "counter_rebound",
        None,
        (1, 10),
        "A train-mode forward binds num_batches_tracked to a new tensor (TypeError if it is a "
        "Parameter).",
        "A train-mode forward counts in place.",
        "PR #26550, PR #60453",
    ),
    Switch(
        "absent_statistics_are_parameters",
        None,
        (1, 8),
        "With track_running_stats=False the None statistics are registered as parameters, and "
        "assigning a plain tensor raises TypeError.",
        "They are registered as buffers, and a plain tensor can be assigned.",
        "#40977",
    ),
    Switch(
        "train_output_contiguous",
        None,
        (1, 9),
        "Normalised by batch statistics, a channels_last input gives a contiguous output.",
        "The output keeps the channels_last strides.",
        "#48919, PR #59286",
    ),
    Switch(
        "one_running_buffer_suffices",
        None,
        (2, 7),
        "In train mode with one of running_mean and running_var None, the other is updated.",
        "It raises ValueError: both must be None or neither.",
        "#65520, #137172; PR #153233",
    ),
    Switch(
        "legacy_load_resets_counter",
        None,
        (2, 1),
        "Loading a state dict without metadata and counter sets the counter to 0.",
        "The counter keeps its value.",
        "#110361; PR #110850",
    ),
    Switch(
        "eps_unchecked",
        None,
        (2, 9),
        "eps may be 0 or negative.",
        "A forward checks eps and raises ValueError.",
        "#166405; PR #166756",
    ),
    Switch(
        "eps_zero_refused_in_eval",
        (2, 10),
        (2, 11),
        "eps must be positive in eval mode too.",
        "In eval mode eps may be 0.",
        "#173337; PR #175508",
        masked_by=("eps_unchecked",),
    ),
    Switch(
        "no_bias_keyword",
        None,
        (2, 11),
        "The constructor has no bias keyword.",
        "bias=False constructs a module with a weight and no bias.",
        "#157144; PR #176573",
    ),
    Switch(
        "no_dtype_keyword",
        None,
        (1, 8),
        "The constructor has no device and no dtype keyword.",
        "dtype=torch.float64 constructs the parameters and running statistics in float64.",
        "measured",
    ),
    Switch(
        "repr_without_bias",
        None,
        (2, 11),
        "The text of the module does not mention the bias.",
        "It tells whether there is one.",
        "PR #176573",
    ),
    Switch(
        "reset_needs_bias",
        None,
        (2, 11),
        "reset_parameters raises AttributeError when the bias is None.",
        "reset_parameters resets what is there.",
        "PR #176573",
    ),
    Switch(
        "empty_output_detached",
        None,
        (1, 4),
        "The output for an empty input does not require a gradient: no weight and bias is applied.",
        "It requires one when weight or bias do.",
        "#12013, #36530",
    ),
    Switch(
        "scalar_type_message",
        None,
        (1, 11),
        'An input of another floating dtype raises "expected scalar type ... but found ...".',
        'It raises "mixed dtype (CPU): ...".',
        "measured",
    ),
    Switch(
        "mixed_dtype_names_bfloat16",
        (1, 12),
        (2, 0),
        "A float64 input to a float32 module raises a message that asks for BFloat16.",
        'The message says "all inputs must share same datatype".',
        "measured",
        masked_by=("scalar_type_message",),
    ),
    Switch(
        "load_unseen_by_autograd",
        None,
        (1, 4),
        "Loading a state dict writes into the tensors unseen by autograd.",
        "It counts as a change in place, and a backward that needs the old values raises RuntimeError.",
        "measured",
    ),
    Switch(
        "float16_unsupported",
        None,
        (2, 1),
        "An input of float16 raises RuntimeError.",
        "Modules and inputs may be float16, and inputs of a float32 module, too.",
        "PR #102070",
    ),
    Switch(
        "bfloat16_unsupported",
        None,
        (1, 11),
        "An input of bfloat16 raises RuntimeError.",
        "Modules and inputs may be bfloat16, and inputs of a float32 module, too.",
        "PR #61015",
    ),
    Switch(
        "integer_input_is_runtime_error",
        None,
        (2, 7),
        "An integer input raises RuntimeError.",
        "It raises NotImplementedError, a subclass.",
        "measured",
    ),
    Switch(
        "integers_refused_alike",
        None,
        (1, 13),
        "The kernel refuses integers in every layout.",
        "A module without tensors refuses those that are neither contiguous nor channels_last by the "
        "mean that it takes of them.",
        "measured",
    ),
    Switch(
        "integer_mean_is_runtime_error",
        (2, 0),
        (2, 14),
        "The mean refuses integers with RuntimeError.",
        "It raises NotImplementedError, a subclass.",
        "measured",
        masked_by=("integers_refused_alike",),
    ),
    *REGISTRATION,
    *DIFFERENTIATION,
)


class UnknownSwitch(LookupError):
    """A switch that the table does not list."""


@dataclasses.dataclass(frozen=True)
class Semantics:
    """The rules of one release: ``holding`` names the switches that hold.

    ``in_table`` is False for a release newer than the table, which gets the newest semantics. The subject
    ``sums_exactly`` if it rounds only where an operation has to; ``device`` is where it computes.
    """

    release: Release
    in_table: bool
    holding: FrozenSet[str]
    known: FrozenSet[str]
    sums_exactly: bool = True
    device: str = "cpu"

    def of_subject(self, sums_exactly: bool, device: str = "cpu") -> Semantics:
        """Return the semantics for a subject that sums exactly or not, on a device."""
        return dataclasses.replace(self, sums_exactly=sums_exactly, device=device)

    def values(self) -> Dict[str, bool]:
        """Return a map from the name of each switch to whether it holds."""
        return {name: name in self.holding for name in sorted(self.known)}


def parse_release(version: str) -> Release:
    """Return (major, minor) of a torch version such as ``2.13.0+cpu``; raises ValueError."""
    match = re.match(r"([0-9]+)\.([0-9]+)", version)
    if match is None:
        raise ValueError(f"not a torch version: {version!r}; accepted: MAJOR.MINOR, as in 2.13.0")
    return int(match.group(1)), int(match.group(2))


def semantics(release: Release, switches: Tuple[Switch, ...] = SWITCHES) -> Semantics:
    """Return the semantics of a release; a release newer than the table gets the newest semantics.

    Raises ValueError for a release older than the table.
    """
    if release < RELEASES[0]:
        given, oldest = (".".join(map(str, r)) for r in (release, RELEASES[0]))
        raise ValueError(f"torch {given} is older than the table; the oldest release is {oldest}")
    nearest = max(known for known in RELEASES if known <= release)
    holding = frozenset(switch.name for switch in switches if switch.holds_on(nearest))
    return Semantics(release, release in RELEASES, holding, frozenset(switch.name for switch in switches))


@lru_cache(maxsize=None)
def first_alike(release: Release) -> Semantics:
    """Return the semantics of the first release that has the same rules, so that results are shared."""
    holding = semantics(release).holding
    return next(each for each in map(semantics, RELEASES) if each.holding == holding)


class Rules:
    """Answers ``holds(name)`` for one step and remembers, in order, what was asked."""

    def __init__(self, semantics: Semantics) -> None:
        self.semantics = semantics
        self.consulted: List[str] = []

    def holds(self, name: str) -> bool:
        """Whether the switch holds on this release; raises UnknownSwitch."""
        if name not in self.semantics.known:
            raise UnknownSwitch(f"switch {name!r} is asked for, but oracle/semantics.py does not list it")
        if name not in self.consulted:
            self.consulted.append(name)
        return name in self.semantics.holding
