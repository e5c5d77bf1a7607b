"""Edges that load every kind of state dict into modules with and without the tensors that it holds."""

from __future__ import annotations

from typing import Tuple

from cases.construction import CUMULATIVE, NO_AFFINE, TRACKED, UNTRACKED
from cases.edges.edge import Edge
from cases.steps import STATE_DICTS

EDGES: Tuple[Edge, ...] = tuple(
    Edge(
        f"{what}{name}", "load",
        f"preset,count:7,{before}load:{what},forward:b0,eval,forward:b1",
        "#110361, PR #110850, #8430",
        config,
    )
    for what in STATE_DICTS
    for name, before, config in (
        ("", "", TRACKED),
        ("_flag_off", "set:track_running_stats:false,", TRACKED),
        ("_cumulative", "", CUMULATIVE),
        ("_dropped_counter", "drop:num_batches_tracked,", TRACKED),
        ("_untracked", "", UNTRACKED),
        ("_no_bias", "drop:bias,", TRACKED),
    )
)  # fmt: skip


_THEN = "forward:b0,eval,forward:b1"
_UNKNOWN = "what is missing or unexpected is returned, and what fits is loaded all the same"
_COUNTER = "a counter of another shape or dtype: #165873, PR #9781"
_ASSIGN = "PR #102212, #188166: the tensors of the state dict take the place of the module's"
_KEPT = "a state dict that was made with keep_vars has Parameters"
_EMPTY = "PR #56610: from the meta device"

OTHER: Tuple[Edge, ...] = tuple(
    Edge(name, "load", program, note, config)
    for name, program, note, config in (
        ("counter_of_one", f"preset,load:counter_of_one,{_THEN}", _COUNTER, CUMULATIVE),
        ("counter_of_two", f"preset,load:counter_of_two,{_THEN}", _COUNTER, CUMULATIVE),
        ("counter_float", f"preset,load:counter_float,{_THEN}", _COUNTER, CUMULATIVE),
        ("whole", f"preset,load:whole,{_THEN}", "every entry", TRACKED),
        ("whole_untracked", f"preset,load:whole,{_THEN}", _UNKNOWN, UNTRACKED),
        ("whole_loose_untracked", f"preset,load:whole_loose,{_THEN}", _UNKNOWN, UNTRACKED),
        ("whole_no_affine", f"preset,load:whole_loose,{_THEN}", _UNKNOWN, NO_AFFINE),
        (
            "whole_dropped", f"preset,drop:running_mean,drop:running_var,load:whole,{_THEN}", _UNKNOWN,
            TRACKED,
        ),
        (
            "whole_loose_dropped",
            f"preset,drop:running_mean,drop:bias,load:whole_loose,load:plain,{_THEN}", _UNKNOWN, TRACKED,
        ),
        ("other_names", f"preset,load:other_names,{_THEN}", _UNKNOWN, TRACKED),
        ("other_names_loose", f"preset,load:other_names_loose,{_THEN}", _UNKNOWN, TRACKED),
        ("longer_loose", f"preset,load:longer_loose,{_THEN}", "strict is about keys, not sizes", TRACKED),
        ("wrapped", f"preset,load:wrapped,{_THEN}", "as a DataParallel saves it", TRACKED),
        ("wrapped_loose", f"preset,load:wrapped_loose,{_THEN}", "nothing fits, silently", TRACKED),
        ("parent", f"preset,load:parent,{_THEN}", "as a part of a larger module", TRACKED),
        ("parent_legacy", f"preset,count:7,load:parent_legacy,{_THEN}", "#110361 with a prefix", TRACKED),
        ("parent_no_counter", f"preset,load:parent_no_counter,{_THEN}", "the version of a part", TRACKED),
        ("parent_loose", f"preset,load:parent_loose,{_THEN}", _UNKNOWN, TRACKED),
        ("float64", f"preset,load:float64,{_THEN}", "converted to the module's dtype", TRACKED),
        ("float16", f"preset,load:float16,{_THEN}", "converted to the module's dtype", TRACKED),
        ("assigned", f"preset,load:assigned,{_THEN}", _ASSIGN, TRACKED),
        ("assigned_plain", f"preset,load:assigned_plain,load:plain,{_THEN}", _ASSIGN, TRACKED),
        (
            "assigned_legacy", f"preset,count:7,load:assigned_legacy,{_THEN}",
            "the counter of the module stays", TRACKED,
        ),
        ("assigned_loose", f"preset,load:assigned_loose,{_THEN}", _ASSIGN, TRACKED),
        ("assigned_longer", f"preset,load:assigned_longer,{_THEN}", _ASSIGN, TRACKED),
        (
            "assigned_frozen",
            f"attach:weight:parameter,attach:running_mean:parameter,load:assigned_plain,eval,{_THEN}",
            "PR #121157: frozen Parameters stay frozen", TRACKED,
        ),
        (
            "assigned_float64",
            "preset,load:assigned_float64,forward:wrong_float,eval,forward:wrong_float",
            "assign takes the dtype of the state dict", TRACKED,
        ),
        (
            "assigned_between", "preset,eval,input_grad:b0,load:assigned_plain,backward:ordinary",
            "what the backward needs is not written to", TRACKED,
        ),
        (
            "versions", "preset,count:7,load:version_3,load:version_0,eval,load:version_3,"
            f"{_THEN}", "only a state dict from before version 2 may lack the counter",
            TRACKED,
        ),
        (
            "versions_dropped", "preset,drop:num_batches_tracked,load:version_3,load:version_0,"
            f"{_THEN}", "the counter that is added is then unexpected", TRACKED,
        ),
        ("frozen", f"requires_grad:false,load:plain,{_THEN}", "a load unfreezes nothing", TRACKED),
        ("eval_float64", f"preset,eval,load:float64,forward:b0,train,{_THEN}", _UNKNOWN, TRACKED),
        ("eval_train", "preset,eval,load:plain,train,forward:b0,forward:b1", "then trained on", TRACKED),
        ("emptied", f"preset,load:emptied,{_THEN}", _EMPTY, TRACKED),
        ("emptied_untracked", f"preset,load:emptied,{_THEN}", _EMPTY, UNTRACKED),
        ("emptied_assigned", f"preset,load:emptied_assigned,{_THEN}", _EMPTY, TRACKED),
        ("parameters", f"preset,load:parameters,{_THEN}", _KEPT, TRACKED),
        ("assigned_parameters", f"preset,load:assigned_parameters,{_THEN}", _KEPT, TRACKED),
        (
            "assigned_parameters_frozen",
            f"attach:weight:parameter,load:assigned_parameters,{_THEN},backward:ones", _KEPT, TRACKED,
        ),
    )
)  # fmt: skip
"""Edges with state dicts that have other keys, shapes and dtypes, or are loaded in other ways."""
