"""The switches about a module's tensors: their memory, registration, conversion and loading.

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
        "no_bfloat16_method",
        None,
        (1, 4),
        "A module has no method bfloat16().",
        "It converts the module.",
        "PR #30702; measured",
    ),
    Switch(
        "eval_takes_rows",
        None,
        (1, 4),
        "In eval mode, running statistics of shape (1, C) are used like those of shape (C,).",
        "They are refused.",
        "measured",
    ),
    Switch(
        "gaps_make_output_contiguous",
        None,
        (1, 9),
        "Where a parameter or buffer is a strided or expanded view, a channels_last input gives a "
        "contiguous output; in eval mode so does a part of a channels_last tensor.",
        "The output keeps the channels_last strides.",
        "PR #59286; measured",
    ),
    Switch(
        "no_to_empty",
        None,
        (1, 8),
        "A module cannot be emptied.",
        "to_empty gives a module on the meta device new tensors without values on the CPU.",
        "PR #56610",
    ),
    Switch(
        "no_full_backward_hooks",
        None,
        (1, 7),
        "A module has no method register_full_backward_hook.",
        "Its hooks are called once for each backward, in the order of registration.",
        "PR #46163",
    ),
)
"""The rules that differ between releases."""
