"""Edges about operations that every torch module has: ordered names, copies, hooks, freezing."""

from __future__ import annotations

from typing import Tuple

from cases.attributes import BUFFERS, TENSORS
from cases.construction import BARE, NO_BIAS, TRACKED, UNTRACKED
from cases.edges.edge import Edge
from cases.variants import Variant

_ORDER = "the order of parameters, buffers and state dict is that of registration"
_UNSAVED = "PR #37191: a buffer that the state dict leaves out"
_FROZEN = "requires_grad_ is about parameters alone"

EDGES: Tuple[Edge, ...] = (
    *(
        Edge(
            f"order{name}", "protocol", "show:order,show:extra_repr,show:returns,"
            "attach:running_var:parameter,show:order,attach:running_mean:parameter,show:order,drop:weight,show:order,eval,show:returns,"
            "forward:b0", _ORDER, config,
        )
        for name, config in (
            ("", TRACKED), ("_untracked", UNTRACKED), ("_bare", BARE), ("_no_bias", NO_BIAS)
        )
    ),
    Edge(
        "copy", "protocol", "preset,copy,forward:b0,set:momentum:0.5,copy,eval,forward:b1,"
        "reset_parameters,deepcopy,copy,train,forward:b2", "copy.copy shares tensors, and no flags",
    ),
    Edge(
        "hooks", "protocol", "preset,hooked:b0,forward:b1,eval,hooked:b1,hooked:wrong_channels,hooked:b0",
        "each hook is called once a forward",
    ),
    Edge("hooks_bare", "protocol", "hooked:b0,eval,hooked:b0.channels_last", "", BARE),
    *(
        Edge(
            f"unsaved_{name}", "protocol", f"preset,attach:{name}:unsaved,show:keys,show:order,"
            "forward:b0,load:whole,load:plain,deepcopy,show:keys,pickle,show:keys,state_dict,eval,forward:b1",
            _UNSAVED,
        )
        for name in BUFFERS
    ),
    Edge(
        "unsaved_untracked", "protocol", "attach:running_mean:unsaved,attach:running_var:unsaved,"
        "show:keys,set:track_running_stats:true,forward:b0,eval,forward:b1", _UNSAVED, UNTRACKED,
    ),
    Edge(
        "unsaved_rebound", "protocol", "attach:running_mean:unsaved,drop:running_mean,"
        "attach:running_mean:tensor,show:keys,attach:running_mean:parameter,show:keys,"
        "attach:running_mean:unsaved,attach:weight:unsaved,show:order",
        "it stays out of the state dict until a Parameter takes its name",
    ),
    Edge(
        "unsaved_converted", "protocol", "attach:running_mean:unsaved,convert:double,show:keys,"
        "convert:float,show:parent,forward:b0,convert:half,show:keys", _UNSAVED,
    ),
    Edge(
        "parent", "protocol", "show:parent,forward:b0,drop:running_mean,show:parent,eval,show:parent",
        "a module that holds it saves its entries under a prefix",
    ),
    Edge(
        "parent_bare", "protocol", "show:parent,attach:weight:trainable,show:parent,forward:b0", "", BARE,
    ),
    *(
        Edge(
            f"number_as_{name}", "protocol", f"preset,set:{name}:0.5,forward:b0,set:{name}:true,eval,"
            f"forward:b1,drop:{name},set:{name}:0,forward:b0,attach:{name}:parameter,set:{name}:0.5,"
            "train,forward:b1", "a number takes the place of no tensor, also where there is none",
        )
        for name in TENSORS
    ),
    *(
        Edge(
            f"numbers{name}", "protocol", f"{','.join(f'set:{each}:0.5' for each in TENSORS)},forward:b0",
            "nor where the constructor has made none", config,
        )
        for name, config in (("_untracked", UNTRACKED), ("_bare", BARE))
    ),
    Edge(
        "flag_is_a_number", "protocol", "preset,set:track_running_stats:1,forward:b0,"
        "set:track_running_stats:0,forward:b1,eval,forward:b0,set:track_running_stats:1,forward:b1",
        "the flag is a condition, so 1 and 0 do as True and False",
    ),
    Edge(
        "affine_is_a_number", "protocol", "preset,set:affine:0,reset_parameters,forward:b0,set:affine:1,"
        "reset_parameters,forward:b1", "as track_running_stats",
    ),
    Edge(
        "reset_keeps_eps", "protocol", "preset,set:eps:0.5,reset_parameters,forward:b0,set:momentum:0.5,"
        "reset_running_stats,forward:b1,reset_parameters,eval,forward:b0",
        "resets are of tensors alone",
    ),
    Edge(
        "frozen", "protocol", "preset,requires_grad:false,forward:b0,backward:ones,input_grad:b0,"
        "backward:ordinary,requires_grad:true,forward:b1,backward:ones", _FROZEN,
    ),
    Edge(
        "frozen_statistic", "protocol", "attach:running_mean:parameter,requires_grad:true,forward:b0,"
        "requires_grad:false,forward:b1", _FROZEN,
    ),
    *(
        Edge(
            f"entries{name}", "protocol", "preset,show:entries,show:methods,forward:b0,eval,show:entries,"
            "convert:double,show:entries,drop:bias,attach:running_mean:tensor,show:entries,load:plain,"
            "deepcopy,show:entries,show:methods",
            "a state dict has the tensors themselves, under names with a prefix", config,
        )
        for name, config in (
            ("", TRACKED), ("_untracked", UNTRACKED), ("_bare", BARE), ("_no_bias", NO_BIAS)
        )
    ),
    *(
        Edge(
            f"entries_{dtype}", "protocol", "preset,show:entries,forward:b0,show:entries",
            "a state dict holds the dtype of the module", TRACKED, Variant("bounded", "n8", dtype),
        )
        for dtype in ("float16", "bfloat16", "float64")
    ),
    Edge(
        "entries_row", "protocol",
        "attach:weight:trainable.row,attach:running_var:unsaved,show:entries,forward:b0",
        "of a shape of its own, and without a buffer that is not saved",
    ),
    Edge("made", "protocol", "show:made,forward:b0", "device, dtype and the default dtype are heeded"),
    Edge(
        "frozen_counter", "protocol", "attach:num_batches_tracked:parameter,requires_grad:false,"
        "requires_grad:true", "an integer cannot require a gradient",
    ),
    *(
        Edge(
            f"{word}{name}", "protocol", f"preset,show:{what},forward:b0,eval,show:{what},forward:b0",
            note, config, Variant("bounded", "n2", "float32"),
        )
        for word, what, note in (
            ("watched", "hooks", "every hook is called once, in order, also those of a deep copy"),
            ("backward_hooks", "backward_hooks", "PR #46163: each is called once"),
            ("visits", "visits", "the tensors have names under a prefix, and apply visits the module"),
        )
        for name, config in (("", TRACKED), ("_bare", BARE))
    ),
    Edge(
        "others", "protocol", "show:tensors,show:calls,forward:b0",
        "of other modules: lists, memory, conversions, copies, deletion; what calls leave behind",
    ),
    Edge(
        "habits", "protocol", "show:habits,forward:b0",
        "of other modules: what they keep of a call, what they refuse, and what any module has",
        TRACKED, Variant("bounded", "n2", "float32"),
    ),
)  # fmt: skip
