"""Edges that convert a module to another dtype in the middle of a program."""

from __future__ import annotations

from typing import Tuple

from cases.construction import BARE, CUMULATIVE, TRACKED, UNTRACKED
from cases.edges.edge import Edge
from cases.variants import Variant

_NOTE = "parameters stay the objects that they are, buffers become others; the counter stays"
_TWICE = "double:ordinary:offset"
_THERE_AND_BACK = "convert:double,convert:float"
_BFLOAT16 = Variant("bounded", "n8", "bfloat16")
_MIXED = Variant("bounded", "n8", "mixed_float16")

EDGES: Tuple[Edge, ...] = (
    *(
        Edge(
            f"{how}{name}", "convert",
            f"preset,forward:b0,convert:{how},forward:wrong_float,eval,forward:wrong_float,forward:b0",
            _NOTE, config,
        )
        for how in ("double", "to_float64")
        for name, config in (("", TRACKED), ("_untracked", UNTRACKED), ("_cumulative", CUMULATIVE))
    ),
    Edge("half", "convert", "preset,convert:half,forward:narrow_float,eval,forward:narrow_float", _NOTE),
    Edge("to_float16", "convert", "preset,convert:to_float16,eval,forward:narrow_float", _NOTE),
    Edge(
        "float_already", "convert", "preset,forward:b0,convert:float,convert:to_float32,forward:b0",
        "to the dtype that it has: nothing changes",
    ),
    Edge(
        "double_and_back", "convert", "preset,forward:b0,convert:double,convert:float,forward:b1,eval,"
        "forward:b0", "float64 holds every float32",
    ),
    Edge(
        "half_and_back", "convert",
        "preset,forward:b0,convert:half,convert:float,forward:b1,eval,forward:b0",
        "running statistics are rounded to float16, large ones to an infinity",
    ),
    Edge(
        "half_and_back_mixed", "convert", "forward:b0,convert:half,convert:float,forward:b1", _NOTE,
        TRACKED, _MIXED,
    ),
    Edge(
        "bfloat16_and_back", "convert", "preset,forward:b0,convert:bfloat16,convert:float,forward:b1",
        "running statistics are rounded to bfloat16",
    ),
    Edge(
        "from_bfloat16", "convert", "preset,forward:b0,convert:to_float32,forward:b0,"
        "convert:to_bfloat16,forward:b0", _NOTE, TRACKED, _BFLOAT16,
    ),
    Edge(
        "parameters", "convert", "attach:running_mean:parameter,attach:weight:parameter,convert:double,"
        "forward:wrong_float,deepcopy,state_dict", "a statistic that is a Parameter stays the object",
    ),
    Edge(
        "bare", "convert", "convert:double,forward:wrong_float,forward:b0", "nothing to convert", BARE,
    ),
    Edge(
        "copied", "convert", "preset,convert:double,deepcopy,forward:wrong_float,state_dict,"
        "reset_parameters,forward:wrong_float,pickle,eval,forward:wrong_float", _NOTE,
    ),
    Edge(
        "differentiated", "convert", "preset,convert:double,input_grad:wrong_float,backward:ordinary,"
        "eval,input_grad:wrong_float,backward:offset", "gradients have the dtype of the parameters",
    ),
    *(
        Edge(
            f"twice_{name}", "convert",
            f"preset,input_grad:b0,{between},{_TWICE},eval,input_grad:b1,{between},{_TWICE}",
            "of a forward before the conversion, the second derivative by the weight is found, and the "
            "gradient by it is not", TRACKED,
        )
        for name, between in (
            ("back", _THERE_AND_BACK),
            ("back_weight_attached",
             f"{_THERE_AND_BACK},attach:weight:trainable,{_THERE_AND_BACK}"),
            ("back_bias_attached", f"{_THERE_AND_BACK},attach:bias:trainable"),
        )
    ),
    Edge(
        "twice_dropped", "convert", "preset,input_grad:b0,convert:double,convert:float,drop:weight,"
        "convert:double,double:ordinary:offset", "a weight that the module has dropped keeps its dtype",
    ),
    Edge(
        "twice_attached", "convert", "preset,input_grad:b0,convert:double,convert:float,"
        "attach:weight:trainable,convert:double,double:ordinary:offset",
        "a weight that another has replaced keeps its dtype",
    ),
    *(
        Edge(
            f"written_{write.replace(':', '_')}", "convert",
            f"preset,input_grad:b0,{_THERE_AND_BACK},{write},backward:ordinary,eval,forward:b1,"
            f"{_THERE_AND_BACK},{write},backward:ordinary",
            "a write after the conversion is one to what the forward has saved",
        )
        for write in ("preset", "reset_parameters", "load:plain", "overwrite")
    ),
    Edge(
        "thrice_back", "convert", "preset,input_grad:b0,convert:double,convert:float,"
        "triple:ordinary:alternating:offset", "the third derivative by the weight is found, too",
    ),
    *(
        Edge(
            f"to_channels_last{name}", "convert",
            "preset,input_grad:b0,convert:to_channels_last,backward:ordinary,forward:b1.channels_last,eval,"
            "input_grad:b0.channels_last,convert:to_channels_last,backward:ordinary.channels_last",
            "the module has no tensor of four dimensions: nothing changes", config,
        )
        for name, config in (("", TRACKED), ("_untracked", UNTRACKED), ("_bare", BARE))
    ),
    Edge(
        "accumulated", "convert", "preset,input_grad:b0,accumulate:ordinary,convert:double,convert:float,"
        "forward:b1,accumulate:ones", "a conversion keeps .grad",
    ),
    Edge(
        "eval_train", "convert", "preset,eval,convert:double,train,forward:wrong_float,eval,"
        "convert:float,train,forward:b0", "converted in eval mode, then trained on",
    ),
    Edge(
        "to_channels_last_rows", "convert",
        "attach:weight:trainable.row,attach:bias:trainable.row,preset,convert:to_channels_last,"
        "forward:b0,state_dict", "a tensor of two dimensions stays as it is",
    ),
)  # fmt: skip
