"""Edges about tensors and Parameters that are attached to a live module."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE, UNTRACKED
from cases.edges.edge import Edge

EDGES: Tuple[Edge, ...] = (
    Edge(
        "trainable_train", "attach",
        "attach:running_mean:trainable,attach:running_var:trainable,forward:b0,"
        "set:track_running_stats:false,forward:b0",
        "#8930, #40977: a statistic that requires a gradient is refused when it is used",
    ),
    Edge(
        "trainable_eval", "attach",
        "attach:running_mean:trainable,attach:running_var:trainable,eval,forward:b0", "#8930",
        UNTRACKED,
    ),
    Edge(
        "trainable_no_grad", "attach",
        "attach:running_mean:trainable,no_grad:b0,attach:running_var:trainable,eval,no_grad:b0,forward:b0,"
        "train,no_grad:b1",
        "#8930: a statistic that requires a gradient is updated where nothing is recorded",
    ),
    Edge(
        "parameters_tracked", "attach",
        "attach:running_mean:parameter,attach:running_var:parameter,"
        "set:track_running_stats:true,forward:b0,forward:b1,eval,forward:b2",
        "Parameters without gradient are updated in place like buffers", UNTRACKED,
    ),
    Edge(
        "parameters_over_buffers", "attach",
        "attach:running_mean:parameter,forward:b0,drop:running_mean,attach:running_mean:tensor,"
        "attach:running_mean:parameter,forward:b1,deepcopy,forward:b2,state_dict,forward:b3",
        "a Parameter turns the buffer's name into a parameter; a tensor cannot turn it back",
    ),
    Edge(
        "weight_tensor", "attach", "attach:weight:tensor,attach:weight:parameter,forward:b0,pickle,"
        "forward:b0", "a weight must be a Parameter",
    ),
    Edge(
        "weight_on_bare", "attach",
        "attach:weight:trainable,attach:bias:parameter,forward:b0,eval,forward:b0",
        "affine=False does not keep a weight that is attached later from being used", BARE,
    ),
)  # fmt: skip
