"""The switches about what a module has registered, and how a state dict is loaded into it.

``oracle.semantics`` joins them with the others.
"""

from __future__ import annotations

from typing import Tuple

from oracle.switch import Switch

REGISTRATION: Tuple[Switch, ...] = (
    Switch(
        "no_assign_keyword",
        None,
        (2, 0),
        "load_state_dict has no assign keyword.",
        "With assign=True the tensors of the state dict take the place of the module's.",
        "PR #102212",
    ),
    Switch(
        "assigned_parameters_trainable",
        (2, 1),
        (2, 2),
        "A Parameter that load_state_dict assigns requires a gradient.",
        "It requires one if the Parameter in whose place it comes does.",
        "PR #121157",
        masked_by=("no_assign_keyword",),
    ),
    Switch(
        "long_counter_takes_first",
        None,
        (2, 9),
        "Loading a counter of shape [2] takes its first value.",
        "It raises RuntimeError: another size.",
        "#165873; PR #166335",
    ),
    Switch(
        "no_persistent_keyword",
        None,
        (1, 5),
        "register_buffer has no persistent keyword.",
        "With persistent=False the state dict leaves the buffer out.",
        "PR #37191",
    ),
    Switch(
        "no_to_empty",
        None,
        (1, 8),
        "A module cannot be emptied.",
        "to_empty gives a module on the meta device new tensors without values on the CPU.",
        "PR #56610",
    ),
)
"""Rules that have changed."""
