"""Situations outside the matrix: odd inputs, numbers and values, each with the source that reports it.

'#n' is an issue or pull request of pytorch/pytorch.
"""

from __future__ import annotations

from typing import Dict, Tuple

from cases import surroundings
from cases.case import Case
from cases.construction import Config
from cases.edge import BARE, CUMULATIVE, FLOAT64, TRACKED, UNTRACKED, Edge
from cases.errors import CaseError, nearest
from cases.steps import STATE_DICTS
from cases.variants import DTYPES, LARGE_SHAPES, Variant

BOTH_MODES = "preset,forward:{0},forward:b0,eval,forward:{0},forward:b1"


def _twice(
    name: str, group: str, batch: str, note: str, config: Config = TRACKED
) -> Tuple[Edge, ...]:
    """The batch in train mode and in eval mode, each followed by an ordinary one."""
    program = BOTH_MODES.format(batch)
    return (
        Edge(name, group, program, note, config),
        Edge(f"{name}_float64", group, program, note, config, FLOAT64),
    )


def _layouts() -> Tuple[Edge, ...]:
    edges = []
    for layout in ("channels_last", "permuted", "sliced", "expanded"):
        for shape in ("n8", "n30", "n256"):
            variant = Variant("bounded", shape, "float32")
            program = "preset,{0},{0},eval,{0}".format("forward:b1." + layout)
            note = "output strides: PR #28982, #48919, PR #59286; numbers: #121651, #63224"
            edges.append(Edge(f"{layout}_{shape}", "layout", program, note, Config(11), variant))
            edges.append(
                Edge(f"{layout}_{shape}_untracked", "layout", program, note, UNTRACKED, variant)
            )
    return tuple(edges)


def _shape_errors() -> Tuple[Edge, ...]:
    edges = []
    for name in ("two_dims", "three_dims", "five_dims"):
        edges.append(
            Edge(name, "shape", BOTH_MODES.format(name), "the check comes before the counter")
        )
    for name, config in (("tracked", Config(11)), ("untracked", UNTRACKED), ("bare", BARE)):
        note = "with nothing of length C to compare, any number of channels passes"
        program = "forward:wrong_channels,forward:b0,eval,forward:wrong_channels"
        edges.append(Edge(f"wrong_channels_{name}", "shape", program, note, config))
        program = "forward:one_value,eval,forward:one_value,forward:b0"
        note = "#1381, PR #2961; in eval without buffers the message speaks of training: #156051"
        edges.append(Edge(f"one_value_{name}", "shape", program, note, config))
    return tuple(edges)


def _momenta() -> Tuple[Edge, ...]:
    values = ("nan", "inf", "2.0", "true", "false", "text", "-1", "1e-08")
    note = "momentum is never validated: #127736; a str raises TypeError, in eval as well"
    return tuple(
        Edge(
            f"momentum_{value.replace('-', 'minus_')}",
            "momentum",
            f"preset,set:momentum:{value},forward:b0,forward:b1,eval,forward:b0",
            note,
        )
        for value in values
    )


def _epsilons() -> Tuple[Edge, ...]:
    edges = []
    for value in ("0.0", "-1e-05", "-1.0", "1", "1e-12", "1e+20"):
        word = value.replace("-", "minus_").replace("+", "")
        for name, config in (("tracked", Config(11)), ("untracked", UNTRACKED)):
            program = f"preset,set:eps:{value},forward:b0,eval,forward:b0,forward:one_value"
            note = "#166405, PR #166756; eps 0 in eval again: #173337, PR #175508"
            edges.append(Edge(f"eps_{word}_{name}", "eps", program, note, config))
    return tuple(edges)


EDGES: Tuple[Edge, ...] = (
    *_twice("no_batch", "empty", "no_batch", "#12013, #29578, PR #30035: statistics stay"),
    *_twice("no_height", "empty", "no_height", "#12013: statistics stay"),
    *_twice("no_width", "empty", "no_width", "#12013: statistics stay"),
    Edge(
        "no_batch_cumulative", "empty", "forward:no_batch,forward:b0",
        "an empty batch counts: the next factor is 1/2", CUMULATIVE,
    ),
    Edge("no_batch_untracked", "empty", "forward:no_batch,eval,forward:no_batch", "", BARE),
    Edge(
        "wrong_channels", "empty", "forward:empty_wrong_channels,eval,forward:empty_wrong_channels",
        "the channel count is not checked when there is nothing to normalise: #72821",
    ),
    Edge("no_channels", "empty", "forward:no_channels", "#72821"),
    Edge(
        "zero_features", "empty", "forward:no_channels",
        "BatchNorm2d(0) on an input without channels: #72821", Config(0),
    ),
    *_shape_errors(),
    *surroundings.shapes(),
    *surroundings.calls(),
    *surroundings.texts(),
    *surroundings.autograd(),
    *surroundings.paths(),
    *_twice("wrong_float", "dtype", "wrong_float", "many user reports of the message"),
    *_twice("integers", "dtype", "integers", "the exception's class changed"),
    Edge("wrong_float_bare", "dtype", "forward:integers,forward:wrong_float", "", BARE),
    Edge(
        "minus_one", "counter", "preset,count:-1,forward:b0,forward:b1",
        "1/0: the forward raises, and has counted", CUMULATIVE,
    ),
    Edge("minus_two", "counter", "preset,count:-2,forward:b0", "the factor is -1", CUMULATIVE),
    Edge(
        "wraps", "counter", "preset,count:9223372036854775807,forward:b0,forward:b1",
        "int64 wraps around to -2**63", CUMULATIVE,
    ),
    Edge("large", "counter", "preset,count:16777216,forward:b0", "float(counter)", CUMULATIVE),
    Edge(
        "without_counter", "counter", "preset,drop:num_batches_tracked,forward:b0,eval,forward:b1",
        "momentum None without a counter: the factor is 0 and nothing is learned", CUMULATIVE,
    ),
    Edge(
        "as_parameter", "counter", "attach:num_batches_tracked:parameter,forward:b0,forward:b1",
        "where the counter is rebound, a Parameter cannot be replaced by a tensor",
    ),
    Edge(
        "counts_without_buffers", "counter",
        "drop:running_mean,drop:running_var,forward:b0,forward:b1,eval,forward:b2",
        "the counter goes on when there is nothing to update: PR #38084",
    ),
    *_momenta(),
    Edge(
        "none_later", "momentum", "preset,forward:b0,forward:b1,set:momentum:none,forward:b2,forward:b3",
        "the average goes by the batches counted since construction, not since the assignment",
    ),
    *_epsilons(),
    Edge(
        "momentum_zero_nan", "nonfinite", "preset,forward:nan,forward:b0,eval,forward:b1",
        "0 * NaN is NaN: momentum 0 does not protect the buffers", Config(11, momentum=0.0),
    ),
    Edge(
        "momentum_one_nan", "nonfinite", "preset,forward:nan,forward:b0,eval,forward:b1",
        "momentum 1 does not heal them", Config(11, momentum=1.0),
    ),
    Edge(
        "first_batch_inf", "nonfinite", "forward:inf,forward:b0,eval,forward:inf",
        "nor does the factor 1 of a cumulative average's first batch", CUMULATIVE,
    ),
    *_twice("nan", "nonfinite", "nan", "#106605, #1206: NaN stays in its channel"),
    *_twice("inf", "nonfinite", "inf", "#106605, #10008: so does an infinity"),
    Edge(
        "overflowing", "nonfinite", "preset,forward:overflowing,eval,forward:b0",
        "values of 1e30 have a variance that float32 cannot hold: #162489",
    ),
    *_twice("constant", "constant", "constant", "#5410: only the bias is left"),
    Edge("constant_eps", "constant", "set:eps:1e-12,forward:constant", "#5410", BARE),
    *(
        Edge(
            f"constant_channels_last_{shape}", "constant",
            "forward:three_tenths.channels_last,forward:three_tenths.channels_last",
            "found by this suite: the mean of equal numbers in channels_last",
            Config(Variant("bounded", shape).channels, momentum=1.0),
            Variant("bounded", shape, "float32"),
        )
        for shape in ("n8", "n256", "n102400")
    ),
    *_layouts(),
    *(
        Edge(
            f"grows_and_shrinks_{dtype}", "size",
            "preset,forward:b1,forward:b0,forward:b2,eval,forward:b0,forward:b3,forward:b0",
            "nothing that was made for one size of input serves another",
            Config(3), Variant("bounded", "n102400", dtype),
        )
        for dtype in DTYPES
    ),
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
        "parameters_tracked", "attach",
        "attach:running_mean:parameter,attach:running_var:parameter,"
        "set:track_running_stats:true,forward:b0,forward:b1,eval,forward:b2",
        "Parameters without gradient are updated in place like buffers", UNTRACKED,
    ),
    Edge(
        "parameters_over_buffers", "attach",
        "attach:running_mean:parameter,forward:b0,drop:running_mean,attach:running_mean:tensor,"
        "attach:running_mean:parameter,forward:b1,deepcopy,forward:b2,state_dict,forward:b3",
        "a Parameter moves the name; a tensor cannot move it back",
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
    *(
        Edge(
            f"{what}{name}", "load",
            f"preset,count:7,{before}load:{what},forward:b0,eval,forward:b1",
            "#110361, PR #110850, #8430",
            config,
        )
        for what in STATE_DICTS
        for name, before, config in (
            ("", "", Config(11)),
            ("_flag_off", "set:track_running_stats:false,", Config(11)),
            ("_cumulative", "", CUMULATIVE),
            ("_dropped_counter", "drop:num_batches_tracked,", Config(11)),
            ("_untracked", "", UNTRACKED),
            ("_no_bias", "drop:bias,", Config(11)),
        )
    ),
    Edge(
        "partial", "reset", "preset,forward:b0,drop:running_var,reset_running_stats,"
        "reset_parameters,forward:b1", "the mean is reset before the missing variance is noticed",
    ),
    Edge(
        "trainable", "reset", "attach:running_mean:trainable,reset_running_stats,forward:b0",
        "in place on a leaf",
    ),
    Edge(
        "bias_dropped", "reset", "preset,drop:bias,reset_parameters,forward:b0",
        "PR #176573: the weight is reset, the missing bias tolerated or not",
    ),
    Edge(
        "affine_off", "reset", "preset,set:affine:false,reset_parameters,forward:b0",
        "the flag as it is now decides: weight and bias stay",
    ),
    Edge(
        "flag_off", "reset", "preset,forward:b0,set:track_running_stats:false,reset_running_stats,"
        "reset_parameters,forward:b1,eval,forward:b1", "so it does for the buffers",
    ),
    Edge("affine_on_bare", "reset", "set:affine:true,reset_parameters,forward:b0", "", BARE),
    Edge(
        "flag_on_bare", "reset", "set:track_running_stats:true,reset_running_stats,forward:b0",
        "reset follows the flag, not the buffers", BARE,
    ),
    Edge(
        "channels_last_train", "layout", "forward:b0.channels_last,forward:b0,eval,"
        "forward:b1.channels_last", "#48919: from the initial buffers",
    ),
    Edge(
        "fifty_batches", "drift",
        ",".join(["preset"] + [f"forward:b{k}" for k in range(50)] + ["eval", "forward:b50"]),
        "the error of the buffers does not accumulate beyond the budget",
        variant=Variant("bounded", "n2", "float32"),
    ),
    Edge(
        "fifty_cumulative", "drift",
        ",".join(["preset"] + [f"forward:b{k}" for k in range(50)] + ["eval", "forward:b50"]),
        "1/k for k up to 50", CUMULATIVE, Variant("bounded", "n2", "float64"),
    ),
)

CASES: Dict[str, Edge] = {edge.case.id: edge for edge in EDGES}

SMALL: Tuple[str, ...] = tuple(
    name for name, edge in CASES.items() if edge.variant.shape not in LARGE_SHAPES
)
"""The ids of those that cost next to nothing: what the smoke tier has."""


def find(case_id: str) -> Case:
    """The case with this id; raises CaseError."""
    if case_id not in CASES:
        raise CaseError(f"no such edge; {nearest(case_id, CASES)}")
    return CASES[case_id].case
