"""Programs that once were findings on torch's own module and are no case of a tier."""

from __future__ import annotations

import pytest

from cases import catalogue
from reports.rows import CONTRACT, KNOWN_DEFECT, PASS
from tests.meta import installed
from tests.subject.module import eager
from tests.subject.paths import taken
from tests.verdict.verdict import adjudicate

ASSIGNED = (
    "attach:running_var:unsaved,load:assigned_float64,forward:b0,forward:wrong_float,eval,forward:wrong_float",
    "attach:running_mean:unsaved,load:assigned_float64,forward:wrong_float,forward:wrong_float.permuted",
    "attach:bias:trainable.row,load:assigned_float64,forward:b0,forward:wrong_float,forward:wrong_float.permuted",
    "attach:weight:trainable.row,load:assigned_float64,eval,forward:wrong_float,forward:wrong_float.permuted",
    "attach:running_mean:tensor.row,attach:running_var:unsaved,load:assigned_float64,forward:wrong_float",
    "attach:running_mean:unsaved,attach:running_var:unsaved,load:assigned_float64,"
    "set:track_running_stats:false,forward:wrong_float,convert:double,backward:ones",
    "attach:running_mean:unsaved,load:assigned_float64,load:plain,overwrite,deepcopy,show:entries,"
    "state_dict,forward:wrong_float",
)
"""A load assigns tensors of another dtype, and one of the module's tensors stays."""

ALIASED = tuple(
    f"attach:{statistic}:parameter{form},alias:{name}:{statistic},input_grad:b0,backward:ones,eval,forward:b1"
    for statistic in ("running_mean", "running_var")
    for form in ("", ".expanded")
    for name in ("weight", "bias")
) + ("attach:running_var:parameter.expanded,alias:running_mean:running_var,forward:b0,eval,forward:b1",)
"""Weight or bias is a running statistic, which a forward updates first."""

THAWED = tuple(
    f"attach:weight:parameter,input_grad:b1,requires_grad:true,{after}double:offset:ordinary"
    for after in ("", "pickle,", "drop:weight,", "requires_grad:false,")
)
"""A weight requires a gradient only after the forward."""

TANGENTS = tuple(
    f"{mode}jvp_parameters:b1{layout}:zeros"
    for mode in ("", "eval,")
    for layout in ("", ".channels_last", ".transposed")
)
"""Weight and bias have tangents, and the input has none."""

OTHERS = ("attach:num_batches_tracked:unsaved,forward:b0,load:emptied,forward:b1",)

CASES = (
    *(("float32", each) for each in (*ASSIGNED, *ALIASED, *THAWED, *OTHERS)),
    *((dtype, each) for dtype in ("float16", "bfloat16") for each in ALIASED),
    *((dtype, each) for dtype in ("float16", "mixed_float16", "mixed_bfloat16") for each in TANGENTS),
)


@pytest.mark.parametrize(("dtype", "program"), CASES)
@pytest.mark.parametrize("module", ["affine-track-momentum_0.1", "affine-no_track-momentum_none"])
def test_what_was_a_finding(module: str, dtype: str, program: str) -> None:
    found = installed.judged(f"steps-{module}-bounded-n8-{dtype}-{program}", installed.BATCH_NORM)
    assert found.outcome in (PASS, KNOWN_DEFECT), found.explanation


ON_PATHS = (
    ("jit.trace", "forward:empty_wrong_channels,forward:one_value"),
    ("checkpoint", "input_grad:no_batch,backward_bias:zeros"),
    ("checkpoint", "input_grad:no_batch,requires_grad:false,backward:zeros"),
    ("checkpoint", "input_grad:empty_wrong_channels,requires_grad:false,backward:zeros"),
    ("checkpoint", "requires_grad:false,input_grad:no_batch,requires_grad:true,backward:zeros"),
    ("checkpoint", "input_grad:b0,convert:double,backward_weight:ones"),
    ("checkpoint", THAWED[0]),
    ("functional_call", THAWED[0]),
    ("ensemble", "forward:overflowing.permuted"),
    ("ensemble", "output_overwritten:empty_wrong_channels,retain_input:ordinary"),
)


@pytest.mark.parametrize(("path", "program"), ON_PATHS)
def test_what_was_a_finding_on_a_path(path: str, program: str) -> None:
    case = catalogue.find(f"steps-affine-track-momentum_0.1-bounded-n8-float32-{program}-path_{path}")
    subject = taken(eager(installed.BATCH_NORM), path)
    rules = installed.RULES.of_subject(subject.sums_exactly)
    found = adjudicate(case, subject, rules, strict_defects=False)
    assert found.outcome in (PASS, KNOWN_DEFECT, CONTRACT), found.explanation
